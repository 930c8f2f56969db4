using Grid.Revocation.Telemetry;
using Grid.Tokens.Access;

namespace Grid.Client.Live;

/// <summary>Access tokens checked in this process: with the published keys, and with what its holder knows of their sessions.</summary>
internal sealed class LocalChecks
{
    private readonly PublishedKeyRing _keys;
    private readonly ServiceHolder _live;
    private readonly AccessTokenVerifier _verifier = new();
    private readonly TimeProvider _clock;

    /// <param name="live">This process as a holder.</param>
    /// <param name="fetchKeys">The published keys, and how long they may be kept.</param>
    /// <param name="clock">By which tokens expire.</param>
    public LocalChecks(ServiceHolder live, Func<CancellationToken, Task<(byte[] Json, TimeSpan? MaxAge)>> fetchKeys, TimeProvider clock)
    {
        (_live, _clock) = (live, clock);
        _keys = new PublishedKeyRing(fetchKeys, live.IsRevokedKey, clock);
        live.Holder.RevokedKeys.Added += (_, _) => _keys.LeaveOutRevoked();
    }

    /// <inheritdoc cref="IGridSessions.VerifyAsync"/>
    public async ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken)
    {
        var ring = await _keys.GetAsync(cancellationToken);
        var check = _verifier.Verify(token.AccessToken, ring, _clock.GetUtcNow());
        if (check.Outcome == AccessTokenOutcome.UnknownKey)
        {
            ring = await _keys.ReloadAsync(cancellationToken);
            check = _verifier.Verify(token.AccessToken, ring, _clock.GetUtcNow());
        }

        if (check.Outcome != AccessTokenOutcome.Valid || check.Content is not { } content)
        {
            _live.Count(CheckResult.TryRefresh);
            return new TokenCheck(SessionVerdict.TryRefresh, check.Content, check.Outcome.ToString());
        }

        if (token.CheckAntiCsrf && (content.AntiCsrfToken is null || content.AntiCsrfToken != token.AntiCsrf))
        {
            _live.Count(CheckResult.TryRefresh);
            return new TokenCheck(SessionVerdict.TryRefresh, Why: "anti-CSRF token missing or different");
        }

        if (!token.CheckSession)
        {
            // Revoked signing keys must still be learnt.
            await _live.BeginAsync();
            _live.Count(CheckResult.Ok);
        }
        else if (!await _live.AcceptsAsync(content.SessionHandle))
        {
            return new TokenCheck(SessionVerdict.Unauthorised, Why: "the session has ended");
        }

        return new TokenCheck(SessionVerdict.Ok, content);
    }

    /// <inheritdoc cref="IGridSessions.ReadKeysAsync"/>
    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => _keys.ReadAsync(cancellationToken);
}
