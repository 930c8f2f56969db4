using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Abstractions.Telemetry;
using Grid.Client;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.WebFront.Sessions;

/// <summary>Issues new tokens for existing sessions.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the outcome is unknown: answer 503.</remarks>
internal sealed class SessionRefresher(
    IGrainFactory grains, AccessTokens accessTokens, StoredSessions sessions, Revocations revocations, IKeyRings keyRings, ReadThrough readThrough, GridMetrics metrics,
    TrustedClock clock, ITenantsBehind? behind = null)
{
    /// <summary>Exchanges a refresh token.</summary>
    /// <param name="app">The app.</param>
    /// <param name="token">The token as presented, and how to exchange it.</param>
    /// <param name="accessTokenValidity">Shorter than the app's; null = the app's.</param>
    /// <param name="rules">The client's.</param>
    /// <param name="keepsKey">Whether to keep the session's kind of signing key, for older clients that do not name one.</param>
    /// <exception cref="SessionRefusedException">The access token would be too long; nothing was written.</exception>
    public async Task<TokenRefresh> RefreshAsync(AppSnapshot app, TokenToRefresh token, TimeSpan? accessTokenValidity, ClientRules rules, bool keepsKey = false)
    {
        ArgumentNullException.ThrowIfNull(app);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var refreshToken = token.RefreshToken;
        if (RefreshTokens.LacksKeyFor(refreshToken, ring))
        {
            // As for an access token whose key is unknown: it may have been imported a moment ago.
            ring = await keyRings.ReloadAsync(app, CancellationToken.None);
            if (readThrough.IsOn && RefreshTokens.LacksKeyFor(refreshToken, ring))
            {
                // Its key has not come yet: who refused the token would sign its user out.
                throw new StoreUnavailableException("The original's key of refresh tokens has not been read yet.");
            }
        }

        if (token.Others is { Count: > 0 } others)
        {
            var right = await RefreshTokenChoice.OnlyRightAsync(
                [refreshToken, .. others], ring, app, handle => sessions.FindAsync(app, handle), rules.OlderRotation, clock.GetUtcMilliseconds());
            if (right is null)
            {
                return Unauthorised("Refresh tokens of several sessions");
            }

            refreshToken = right;
        }

        if (!RefreshTokens.TryRead(refreshToken, ring, app.App.ToString(), out var presented) || !SessionHandle.TryParse(presented.SessionHandle, out var handle))
        {
            return Unauthorised("Refresh token is not valid");
        }

        if (!await behind.HasTenantOfAsync(app, handle))
        {
            return Unauthorised("Session missing in db or has expired");
        }

        if (token.EnableAntiCsrf && presented.AntiCsrfToken is not null && presented.AntiCsrfToken != token.AntiCsrf)
        {
            return Unauthorised("Anti CSRF token missing, or not matching");
        }

        var maxLength = token.MaxAccessTokenLength > 0 ? token.MaxAccessTokenLength : AccessTokenSize.MaxLength;
        var presentedHash1 = TokenHash.Of(refreshToken);
        if (readThrough.IsOn && RefreshTokens.LooksForeign(refreshToken))
        {
            await RenewIfBehindAsync(app, handle, presentedHash1.HashOfHex(), presented.ParentHash1?.HashOfHex());
        }

        var newAntiCsrf = token.EnableAntiCsrf ? AccessTokens.NewAntiCsrf() : null;
        var candidate = RefreshTokenCodec.Mint(presented with { ParentHash1 = presentedHash1, AntiCsrfToken = newAntiCsrf }, ring.Mac);
        var now = clock.GetUtcMilliseconds();
        var result = await grains.SessionOf(app.App, handle).RefreshAsync(
            new RefreshRequest
            {
                Presented = presentedHash1.HashOfHex(),
                PresentedParent = presented.ParentHash1?.HashOfHex(),
                CandidateToken = candidate,
                CandidateAntiCsrf = newAntiCsrf,
                OlderRules = rules.OlderRotation,
                UseDynamicKey = keepsKey ? null : token.UseDynamicSigningKey,
                RefreshTokenValidity = app.Settings.RefreshTokenValidity,
                MaxLifetime = app.Settings.MaxLifetime,
                Grace = app.Settings.RefreshRotationGrace,
                JoinWithin = token.JoinWithin,
                TokenVersion = rules.TokenVersion,
                MaxTokenLength = maxLength,
            },
            CancellationToken.None);
        switch (result.Verdict)
        {
            case RefreshVerdict.Rotated or RefreshVerdict.RotatedWithinGrace or RefreshVerdict.Child or RefreshVerdict.ChildAfterPromotion:
                var session = result.Session!;

                // By the older rules nothing is written yet: the token's first use will extend the session.
                var expiresAt = rules.OlderRotation
                    ? SessionExpiry.Of(session.CreatedAt, now, app.Settings.RefreshTokenValidity, app.Settings.MaxLifetime)
                    : session.ExpiresAt;
                var access = accessTokens.Mint(
                    app, ring, session, rules.TokenVersion, TokenHash.Of(result.RefreshToken!), rules.OlderRotation ? presentedHash1 : null, result.AntiCsrf,
                    AccessTokens.Life(app, accessTokenValidity));
                metrics.Refreshed("ok");
                return new TokenRefresh
                {
                    Verdict = SessionVerdict.Ok,
                    Handle = handle.ToString(),
                    UserId = session.UserId,
                    RecipeUserId = session.RecipeUserId ?? session.UserId,
                    TenantId = handle.TenantId,
                    PayloadJson = session.PayloadJson,
                    Tokens = new SessionTokens(access, new IssuedToken(result.RefreshToken!, now, expiresAt), result.AntiCsrf),
                };
            case RefreshVerdict.NotFound:
                await revocations.ConfirmAsync(new SessionKey(app.App, handle), RevocationReason.LifetimeOver, result.Ended);
                return Unauthorised("Session missing in db or has expired");
            case RefreshVerdict.Reuse:
                metrics.Reused(result.Reuse);
                await revocations.ConfirmAsync(new SessionKey(app.App, handle), RevocationReason.RefreshTokenReuse, result.Ended);
                var reuse = rules.OlderRotation ? ReuseKind.None : result.Reuse;
                if (app.Settings.RecentReuseAnswer == RecentReuseAnswer.Unauthorised && reuse is ReuseKind.RecentPrevious or ReuseKind.OrphanedBranch)
                {
                    return Unauthorised("A recently replaced refresh token was used again") with { Reuse = reuse };
                }

                metrics.Refreshed("token_theft");
                return new TokenRefresh
                {
                    Verdict = SessionVerdict.TokenTheft,
                    Handle = handle.ToString(),
                    UserId = result.Session!.UserId,
                    RecipeUserId = result.Session.RecipeUserId ?? result.Session.UserId,
                    Reuse = reuse,
                };
            case RefreshVerdict.ProtectedClaim:
                return Unauthorised(SessionRefusedException.ProtectedField);
            case RefreshVerdict.TokenTooLong:
                throw new SessionRefusedException(
                    $"The access token would have {result.TokenLength} characters, and at most {maxLength} are allowed: put less into userDataInJWT")
                {
                    TokenLength = result.TokenLength,
                };
            case RefreshVerdict.Unavailable:
                throw new StoreUnavailableException("The session could not be refreshed.");
            default:
                throw new InvalidOperationException($"Unknown verdict {result.Verdict}.");
        }
    }

    // A token of the original's that is neither the current one nor a child of it: somebody may have looked at the session here while the
    // original still served and rotated it. Who took it for reuse would sign its user out as a thief.
    private async Task RenewIfBehindAsync(AppSnapshot app, SessionHandle handle, TokenHash presented, TokenHash? parent)
    {
        if (await sessions.FindAsync(app, handle) is { Chain.Current: var current } && current != presented && current != parent)
        {
            await readThrough.RenewAsync(new SessionKey(app.App, handle));
        }
    }

    /// <summary>Stores a new payload and mints an access token that carries it, with the format and expiry of the presented one.</summary>
    /// <param name="app">The app.</param>
    /// <param name="accessToken">A genuine token; it may have expired.</param>
    /// <param name="payloadJson">Null keeps the stored payload.</param>
    /// <returns>Null if there is no such session.</returns>
    /// <exception cref="SessionRefusedException">The payload is too large, or holds a claim that is protected in the token's format.</exception>
    public async Task<RegeneratedSession?> RegenerateAsync(AppSnapshot app, string accessToken, string? payloadJson)
    {
        ArgumentNullException.ThrowIfNull(app);

        // Set if the signature is valid, expired or not. A key that is no longer known proves nothing.
        if (await accessTokens.CheckAsync(app, accessToken) is not { Content: { } token } check || !SessionHandle.TryParse(token.SessionHandle, out var handle) || !await behind.HasTenantOfAsync(app, handle))
        {
            return null;
        }

        if (payloadJson is not null)
        {
            PayloadRules.CheckUserId(token.UserId);
        }

        if (await sessions.UpdateAsync(app, handle, payloadJson, null, new ClientRules(token.Version, OlderRotation: false)) is not { } session)
        {
            return null;
        }

        IssuedToken? access = null;
        if (check.Outcome == AccessTokenOutcome.Valid)
        {
            if (payloadJson is null)
            {
                // A new payload was checked before it was written; a stored one may come from an older format.
                PayloadRules.CheckProtected(session.PayloadJson, token.Version);
            }

            access = accessTokens.MintAgain(await keyRings.GetAsync(app, CancellationToken.None), token, session);
        }

        return new RegeneratedSession(handle.ToString(), session.UserId, handle.TenantId, session.PayloadJson, access) { RecipeUserId = session.RecipeUserId ?? session.UserId };
    }

    private TokenRefresh Unauthorised(string why)
    {
        metrics.Refreshed("unauthorised");
        return new() { Verdict = SessionVerdict.Unauthorised, Why = why };
    }
}
