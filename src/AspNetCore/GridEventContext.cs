using Grid.AspNetCore.Claims;
using Grid.Tokens.Refresh;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>What an event is given. The response has its status already, and what clears tokens where the session has ended.</summary>
public abstract class GridEventContext
{
    private protected GridEventContext(HttpContext context, string? sessionHandle, string? userId) =>
        (HttpContext, SessionHandle, UserId) = (context, sessionHandle, userId);

    /// <summary>The request and its response.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The session; null if the request names none that is genuine.</summary>
    public string? SessionHandle { get; }

    /// <summary>The session's user; null as <see cref="SessionHandle"/>.</summary>
    public string? UserId { get; }

    /// <summary>Whether the event has written the answer.</summary>
    public bool IsHandled { get; private set; }

    /// <summary>Says that the event has written the answer, so that none is written after it. The request stays refused.</summary>
    public void HandleResponse() => IsHandled = true;
}

/// <summary>A request without a session that can be accepted.</summary>
public sealed class GridRefusedContext : GridEventContext
{
    internal GridRefusedContext(HttpContext context, string? sessionHandle, string? userId, string? why)
        : base(context, sessionHandle, userId) => Why = why;

    /// <summary>Why, for logs; not for the client.</summary>
    public string? Why { get; }
}

/// <summary>A request whose session lacks claims.</summary>
public sealed class GridClaimsRefusedContext : GridEventContext
{
    internal GridClaimsRefusedContext(HttpContext context, string? sessionHandle, string? userId, IReadOnlyList<ClaimProblem> problems)
        : base(context, sessionHandle, userId) => Problems = problems;

    /// <summary>What is wrong with them.</summary>
    public IReadOnlyList<ClaimProblem> Problems { get; }
}

/// <summary>A refresh with a token that had been replaced.</summary>
public sealed class GridTokenTheftContext : GridEventContext
{
    internal GridTokenTheftContext(HttpContext context, string? sessionHandle, string? userId, ReuseKind reuse)
        : base(context, sessionHandle, userId) => Reuse = reuse;

    /// <summary>Which kind of replaced token it was.</summary>
    public ReuseKind Reuse { get; }
}
