using System.Collections.Concurrent;
using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;

namespace Grid.Testing.Applications;

/// <summary>What a signed-in client holds: tokens as an SDK keeps them, and the cookies of cookie schemes.</summary>
internal sealed class ClientSession
{
    public SemaphoreSlim Turn { get; } = new(1);

    public bool IsBegun { get; private set; }

    /// <summary>Null before it begins and after the session has ended.</summary>
    public string? Access { get; private set; }

    public DateTimeOffset AccessExpiresAt { get; private set; }

    public string? Refresh { get; private set; }

    public string? AntiCsrf { get; private set; }

    /// <summary>By scheme; null once the client has cookies of its own.</summary>
    public ConcurrentDictionary<string, string?> Cookies { get; } = new(StringComparer.Ordinal);

    public void Begin(SessionTokens tokens)
    {
        (IsBegun, Access, AccessExpiresAt, Refresh, AntiCsrf) = (true, tokens.Access.Text, tokens.Access.ExpiresAt, tokens.Refresh.Text, tokens.AntiCsrf ?? AntiCsrf);
    }

    public void Forget() => (Access, Refresh) = (null, null);

    /// <summary>Tokens that came by header; an empty one says that the session has ended.</summary>
    public void TakeOver(IHeaderDictionary answer)
    {
        if (answer["st-access-token"] is [{ } access])
        {
            Access = access.Length == 0 ? null : access;
            AccessExpiresAt = AccessTokenVerifier.TryReadUnverified(access, out var content) ? content.ExpiresAt : AccessExpiresAt;
        }

        if (answer["st-refresh-token"] is [{ } refresh])
        {
            Refresh = refresh.Length == 0 ? null : refresh;
        }
    }
}
