using Grid.Client.Claims;

namespace Grid.Client;

/// <summary>What one endpoint wants otherwise than <see cref="GridOptions"/>; add it as metadata, best by <c>WithGrid</c>.</summary>
public sealed class GridEndpoint
{
    /// <summary>Whether to check anti-CSRF. Default: unless the method is GET, HEAD, OPTIONS or TRACE.</summary>
    public bool? CheckAntiCsrf { get; init; }

    /// <summary>Whether to ask Grid if the session lives. Default: <see cref="GridOptions.CheckEachRequest"/>.</summary>
    public bool? CheckEachRequest { get; init; }

    /// <summary>From the general validators to this endpoint's. Default: the general ones.</summary>
    public Func<IEnumerable<ClaimValidator>, IEnumerable<ClaimValidator>>? ClaimValidators { get; init; }

    /// <summary>Asks for a session, whatever it claims.</summary>
    internal static GridEndpoint AnyClaims { get; } = new() { ClaimValidators = _ => [] };
}
