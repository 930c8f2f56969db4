using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Abstractions.Telemetry;
using Grid.Client;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.SigningKeys;

namespace Grid.WebFront.Sessions;

/// <summary>Checks and mints the access tokens of an app's sessions.</summary>
public sealed class AccessTokens(IKeyRings keyRings, AccessTokenVerifier verifier, GridMetrics metrics, TrustedClock clock)
{
    /// <summary>Checks signature, format and expiry. If the key is unknown, the keys are reloaded once.</summary>
    public async ValueTask<AccessTokenCheck> CheckAsync(AppSnapshot app, string accessToken)
    {
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var check = verifier.Verify(accessToken, ring, clock.GetUtcNow());
        if (check.Outcome == AccessTokenOutcome.UnknownKey)
        {
            ring = await keyRings.ReloadAsync(app, CancellationToken.None);
            check = verifier.Verify(accessToken, ring, clock.GetUtcNow());
        }

        return check;
    }

    /// <summary>Mints an access token for a stored session; it does not outlast the session's maximum lifetime.</summary>
    /// <param name="app">The app.</param>
    /// <param name="ring">The app's keys.</param>
    /// <param name="session">The session as stored.</param>
    /// <param name="version">The token's format.</param>
    /// <param name="hash1">SHA-256 of the refresh token that it is issued with.</param>
    /// <param name="parentHash1">Older rules: SHA-256 of the previous refresh token.</param>
    /// <param name="antiCsrf">The anti-CSRF token to bind to it; null for none.</param>
    /// <param name="life">Its lifetime from now.</param>
    internal IssuedToken Mint(
        AppSnapshot app, KeyRing ring, SessionSnapshot session, AccessTokenVersion version, TokenHash hash1, TokenHash? parentHash1, string? antiCsrf, TimeSpan life)
    {
        var now = clock.GetUtcMilliseconds();
        var content = new AccessTokenContent
        {
            Version = version,
            UserId = session.UserId,
            IssuedAt = Seconds(now),
            ExpiresAt = Seconds(SessionExpiry.Of(session.CreatedAt, now, life, app.Settings.MaxLifetime)),
            TenantId = session.Handle.TenantId,
            RecipeUserId = session.RecipeUserId ?? session.UserId,
            SessionHandle = session.Handle.ToString(),
            RefreshTokenHash1 = hash1.ToHex(),
            ParentRefreshTokenHash1 = parentHash1?.ToHex(),
            AntiCsrfToken = antiCsrf,
            PayloadJson = session.PayloadJson,
        };
        return new IssuedToken(Sign(content, ring, session.UseDynamicKey, now), content.IssuedAt, content.ExpiresAt);
    }

    /// <summary>Mints a token like one that was checked, with the stored payload: same format, same expiry.</summary>
    internal IssuedToken MintAgain(KeyRing ring, AccessTokenContent token, SessionSnapshot session)
    {
        var now = clock.GetUtcMilliseconds();
        var text = Sign(token with { IssuedAt = now, PayloadJson = session.PayloadJson }, ring, session.UseDynamicKey, now);
        return new IssuedToken(text, Seconds(now), token.ExpiresAt);
    }

    /// <summary>
    /// The lifetime of a new token: exactly what the client asked for, otherwise the app's, shortened at random so that a fleet of clients
    /// does not refresh all at once.
    /// </summary>
    internal static TimeSpan Life(AppSnapshot app, TimeSpan? asked) =>
        asked ?? app.Settings.AccessTokenValidity * (1 - (Random.Shared.NextDouble() * app.Settings.AccessTokenValidityJitter));

    /// <summary>A new anti-CSRF value.</summary>
    internal static string NewAntiCsrf() => Guid.NewGuid().ToString("D");

    private string Sign(AccessTokenContent content, KeyRing ring, bool useDynamicKey, DateTimeOffset now)
    {
        var key = ring.SigningKey(useDynamicKey, now);
        var started = metrics.StartSigning();
        var text = AccessTokenIssuer.Mint(content, key);
        metrics.SigningEnded(started);
        return text;
    }

    private static DateTimeOffset Seconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
