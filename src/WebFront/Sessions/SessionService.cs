using System.Collections.Immutable;
using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Revocation.Acknowledgement;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;
using Grid.Tokens.Tickets;

namespace Grid.WebFront.Sessions;

/// <summary>Creates, checks and refreshes sessions for every door: tokens here, order in the grains, truth in the store.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the outcome is unknown: answer 503.</remarks>
public sealed class SessionService(
    IGrainFactory grains, IAppDirectory apps, ISessionReader reader, ISessionOrders orders, Revocations revocations, SessionLives lives, IKeyRings keyRings, AccessTokenVerifier verifier, TrustedClock clock)
{
    // What the store's neighbours take too.
    private const int MaxUserIdLength = 128;

    private static readonly TimeSpan GrainPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long a browser may take to fetch the session that a back end ordered.</summary>
    public static TimeSpan TicketLife { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Creates a session. It is stored before this returns.</summary>
    /// <param name="app">Where.</param>
    /// <param name="tenantId">Where.</param>
    /// <param name="userId">Whose.</param>
    /// <param name="payloadJson">The user's claims, one JSON object without protected names.</param>
    /// <param name="dataJson">Data kept in the store only, one JSON object.</param>
    /// <param name="useDynamicKey">Rotating or static signing key.</param>
    /// <param name="withAntiCsrf">Whether to bind an anti-CSRF token.</param>
    /// <param name="accessTokenValidity">Shorter than the app's; null = the app's.</param>
    /// <param name="rules">The client's.</param>
    public async Task<CreatedSession> CreateAsync(
        AppSnapshot app, string tenantId, string userId, string payloadJson, string dataJson, bool useDynamicKey, bool withAntiCsrf,
        TimeSpan? accessTokenValidity, ClientRules rules)
    {
        ArgumentNullException.ThrowIfNull(app);

        // A fresh random handle cannot be taken; if it is, something retried our write.
        return await CreateAsAsync(
                app, SessionHandle.Create(tenantId, Now()), userId, payloadJson, dataJson, useDynamicKey, withAntiCsrf, accessTokenValidity, rules)
            ?? throw new StoreUnavailableException("The session was not stored.");
    }

    /// <summary>Seals a session that a browser will fetch, once and within <see cref="TicketLife"/>. What is stored is the permit to make it.</summary>
    /// <returns>Null if the data is too large for a ticket.</returns>
    public async Task<(string Text, DateTimeOffset ExpiresAt, SessionHandle Handle)?> OrderAsync(
        AppSnapshot app, string tenantId, string userId, string payloadJson, string dataJson, bool useDynamicKey)
    {
        ArgumentNullException.ThrowIfNull(app);
        Refuse(userId, payloadJson, ClientRules.Newest);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var now = Now();
        var handle = SessionHandle.Create(tenantId, now);
        var ticket = new SignInTicket
        {
            App = app.App.ToString(),
            SessionHandle = handle.ToString(),
            UserId = userId,
            PayloadJson = payloadJson,
            DataJson = dataJson,
            UseDynamicKey = useDynamicKey,
            ExpiresAt = now + TicketLife,
        };
        if (SignInTicketCodec.Seal(ticket, ring.Mac) is not { } text)
        {
            return null;
        }

        await orders.OrderAsync(new SessionOrder(new SessionKey(app.App, handle), userId, ticket.ExpiresAt), CancellationToken.None);
        return (text, ticket.ExpiresAt, handle);
    }

    /// <summary>Creates the session of a ticket.</summary>
    /// <param name="app">Where.</param>
    /// <param name="ticketText">As it came.</param>
    /// <param name="complete">The payload, with what only the front knows. What it throws leaves the ticket unused.</param>
    /// <param name="withAntiCsrf">Whether to bind an anti-CSRF token.</param>
    /// <returns>Null if the ticket is not ours, too old, used, or void since a revocation came between.</returns>
    /// <exception cref="StoreUnavailableException">Whether the ticket is used up is unknown: another one has to be ordered.</exception>
    public async Task<CreatedSession?> RedeemAsync(AppSnapshot app, string ticketText, Func<SignInTicket, string> complete, bool withAntiCsrf)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(complete);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        if (!SignInTicketCodec.TryOpen(ticketText, ring.Mac, clock.GetUtcNow(), out var ticket) || ticket.App != app.App.ToString()
            || !SessionHandle.TryParse(ticket.SessionHandle, out var handle) || !app.HasTenantOf(handle))
        {
            return null;
        }

        return await CreateAsAsync(
            app, handle, ticket.UserId, complete(ticket), ticket.DataJson, ticket.UseDynamicKey, withAntiCsrf, null, ClientRules.Newest, isOrdered: true);
    }

    private async Task<CreatedSession?> CreateAsAsync(
        AppSnapshot app, SessionHandle handle, string userId, string payloadJson, string dataJson, bool useDynamicKey, bool withAntiCsrf,
        TimeSpan? accessTokenValidity, ClientRules rules, bool isOrdered = false)
    {
        Refuse(userId, payloadJson, rules);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var now = Now();
        var antiCsrf = withAntiCsrf ? NewAntiCsrf() : null;
        var refreshToken = RefreshTokenCodec.Mint(new RefreshTokenContent(app.App.ToString(), handle.ToString(), null, antiCsrf), ring.Mac);
        var hash1 = TokenHash.Of(refreshToken);
        var result = await Grain(app.App, handle).CreateAsync(
            new NewSession
            {
                UserId = userId,
                RefreshTokenHash = hash1.HashOfHex(),
                PayloadJson = payloadJson,
                DataJson = dataJson,
                UseDynamicKey = useDynamicKey,
                CreatedAt = now,
                ExpiresAt = now + app.Settings.RefreshTokenValidity,
                IsOrdered = isOrdered,
            },
            CancellationToken.None);
        if (result.Outcome == SessionOutcome.NotFound)
        {
            return null;
        }

        if (result is not { Outcome: SessionOutcome.Ok, Session: { } session })
        {
            throw new StoreUnavailableException("The session was not stored.");
        }

        // Its tenant may have been removed while it was on its way, and its sessions ended before this one came.
        if (await apps.FindAsync(app.App, CancellationToken.None) is not { } present || !present.HasTenantOf(handle))
        {
            await revocations.RevokeAsync(new RevocationScope.Named { App = app.App, Sessions = [handle] }, RevocationReason.TenantRemoved, "removal");
            throw new StoreUnavailableException("The tenant was removed while the session was made.");
        }

        var access = Mint(app, ring, session, rules.TokenVersion, hash1, null, antiCsrf, Life(app, accessTokenValidity));
        return new CreatedSession(session, new SessionTokens(access, new IssuedToken(refreshToken, now, session.ExpiresAt), antiCsrf));
    }

    /// <summary>Checks an access token and that its session lives. A session that this process knows costs neither grain nor store.</summary>
    /// <param name="app">The app whose keys count.</param>
    /// <param name="accessToken">As presented.</param>
    /// <param name="checkAntiCsrf">Whether the token's anti-CSRF value must equal <paramref name="antiCsrf"/>.</param>
    /// <param name="antiCsrf">As presented.</param>
    /// <param name="checkDatabase">Whether the token must also be on the session's living branch.</param>
    /// <param name="rules">The client's.</param>
    /// <param name="checkSession">Whether the session must live at all.</param>
    public async ValueTask<VerifiedSession> VerifyAsync(
        AppSnapshot app, string accessToken, bool checkAntiCsrf, string? antiCsrf, bool checkDatabase, ClientRules rules, bool checkSession = true)
    {
        ArgumentNullException.ThrowIfNull(app);
        var check = await CheckTokenAsync(app, accessToken);
        if (check is not { Outcome: AccessTokenOutcome.Valid, Content: { } token } || !SessionHandle.TryParse(token.SessionHandle, out var handle))
        {
            return TryRefresh(check.Outcome switch
            {
                AccessTokenOutcome.Expired => "Access token expired",
                AccessTokenOutcome.UnknownKey => "Access token signed with an unknown key",
                AccessTokenOutcome.BadSignature => "Access token signature is not valid",
                _ => "Access token is not valid",
            }) with
            { Token = check.Content };
        }

        if (!app.HasTenantOf(handle))
        {
            return Ended();
        }

        if (checkAntiCsrf && (token.AntiCsrfToken is null || token.AntiCsrfToken != antiCsrf))
        {
            return TryRefresh("anti-csrf check failed");
        }

        if (rules.OlderRotation && (checkDatabase || token.ParentRefreshTokenHash1 is not null))
        {
            return await VerifyByOlderRulesAsync(app, handle, token, checkDatabase);
        }

        if (!checkDatabase)
        {
            return !checkSession || await lives.AcceptsAsync(app, handle) ? Verified(token) : Ended();
        }

        SessionRecord? previous = null;
        while (true)
        {
            // What is remembered may be a moment old. It is enough to say yes; a no is read again.
            var row = await lives.ReadAsync(app, handle, fresh: previous is not null);
            if (row is null)
            {
                return Ended();
            }

            if (ReferenceEquals(row, previous))
            {
                throw new StoreUnavailableException("The session's branch could not be checked.");
            }

            var isLive = RefreshRotation.IsLive(row.Chain, StoredHash(token.RefreshTokenHash1), StoredHashOrNull(token.ParentRefreshTokenHash1));
            var samePayload = SamePayload(row.PayloadJson, token.PayloadJson);
            if ((isLive && samePayload) || previous is not null)
            {
                return isLive
                    ? Verified(token) with { PayloadUpdateAvailable = !samePayload }
                    : Unauthorised("rotated-out token branch; refresh required");
            }

            previous = row;
        }
    }

    /// <summary>Exchanges a refresh token.</summary>
    /// <param name="app">Where.</param>
    /// <param name="refreshToken">As presented.</param>
    /// <param name="enableAntiCsrf">Check <paramref name="antiCsrf"/> and make a new one.</param>
    /// <param name="antiCsrf">As presented.</param>
    /// <param name="useDynamicKey">Rotating or static signing key; null keeps the session's.</param>
    /// <param name="accessTokenValidity">Shorter than the app's; null = the app's.</param>
    /// <param name="rules">The client's.</param>
    /// <param name="joinWithin">See <see cref="RefreshRequest.JoinWithin"/>.</param>
    /// <param name="maxTokenLength">Characters that the access token may have; refused before anything is written.</param>
    /// <param name="others">More tokens, where a browser sent several: the only right one is exchanged.</param>
    /// <exception cref="SessionRefusedException">It would have more.</exception>
    public async Task<RefreshedSession> RefreshAsync(
        AppSnapshot app, string refreshToken, bool enableAntiCsrf, string? antiCsrf, bool? useDynamicKey, TimeSpan? accessTokenValidity, ClientRules rules,
        TimeSpan joinWithin = default, int maxTokenLength = AccessTokenSize.MaxLength, IReadOnlyList<string>? others = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        if (others is { Count: > 0 })
        {
            var right = await RefreshTokenChoice.OnlyRightAsync(
                [refreshToken, .. others], ring.Mac, app, handle => FindAsync(app, handle), rules.OlderRotation, Now());
            if (right is null)
            {
                return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = "Refresh tokens of several sessions" };
            }

            refreshToken = right;
        }

        if (!RefreshTokenCodec.TryRead(refreshToken, ring.Mac, out var presented) || presented.App != app.App.ToString()
            || !SessionHandle.TryParse(presented.SessionHandle, out var handle))
        {
            return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = "Refresh token is not valid" };
        }

        if (!app.HasTenantOf(handle))
        {
            return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = "Session missing in db or has expired" };
        }

        if (enableAntiCsrf && presented.AntiCsrfToken is not null && presented.AntiCsrfToken != antiCsrf)
        {
            return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = "Anti CSRF token missing, or not matching" };
        }

        var presentedHash1 = TokenHash.Of(refreshToken);
        var newAntiCsrf = enableAntiCsrf ? NewAntiCsrf() : null;
        var candidate = RefreshTokenCodec.Mint(presented with { ParentHash1 = presentedHash1, AntiCsrfToken = newAntiCsrf }, ring.Mac);
        var now = Now();
        var result = await Grain(app.App, handle).RefreshAsync(
            new RefreshRequest
            {
                Presented = presentedHash1.HashOfHex(),
                PresentedParent = presented.ParentHash1?.HashOfHex(),
                CandidateToken = candidate,
                CandidateAntiCsrf = newAntiCsrf,
                OlderRules = rules.OlderRotation,
                UseDynamicKey = useDynamicKey,
                RefreshTokenValidity = app.Settings.RefreshTokenValidity,
                Grace = app.Settings.RefreshRotationGrace,
                JoinWithin = joinWithin,
                TokenVersion = rules.TokenVersion,
                MaxTokenLength = maxTokenLength,
            },
            CancellationToken.None);
        switch (result.Outcome)
        {
            case RefreshOutcome.Refreshed:
                var session = result.Session!;

                // By the older rules nothing is written yet: the token's first use will give the session a whole validity from then on.
                var expiresAt = rules.OlderRotation ? now + app.Settings.RefreshTokenValidity : session.ExpiresAt;
                var access = Mint(
                    app, ring, session, rules.TokenVersion, TokenHash.Of(result.RefreshToken!), rules.OlderRotation ? presentedHash1 : null, result.AntiCsrf,
                    Life(app, accessTokenValidity));
                return new RefreshedSession
                {
                    Verdict = SessionVerdict.Ok,
                    Session = session,
                    Tokens = new SessionTokens(access, new IssuedToken(result.RefreshToken!, now, expiresAt), result.AntiCsrf),
                };
            case RefreshOutcome.NotFound:
                return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = "Session missing in db or has expired" };
            case RefreshOutcome.Reuse:
                if (!result.Ended.IsDefaultOrEmpty)
                {
                    await revocations.ConfirmAsync(
                        new RevocationScope.Named { App = app.App, Sessions = [handle] }, RevocationReason.RefreshTokenReuse, "reuse", 1, result.Ended);
                }

                var asUnauthorised = !rules.OlderRotation && app.Settings.RecentReuseAnswer == RecentReuseAnswer.Unauthorised
                    && result.Reuse is ReuseKind.RecentPrevious or ReuseKind.OrphanedBranch;
                return new RefreshedSession
                {
                    Verdict = asUnauthorised ? SessionVerdict.Unauthorised : SessionVerdict.TokenTheft,
                    Message = asUnauthorised ? "A recently replaced refresh token was used again" : null,
                    Session = result.Session,
                    Reuse = rules.OlderRotation ? ReuseKind.None : result.Reuse,
                };
            case RefreshOutcome.ProtectedClaim:
                return new RefreshedSession { Verdict = SessionVerdict.Unauthorised, Message = SessionRefusedException.ProtectedField };
            case RefreshOutcome.TokenTooLong:
                throw new SessionRefusedException(
                    $"The access token would have {result.TokenLength} characters, and at most {maxTokenLength} are taken: put less into userDataInJWT")
                {
                    TokenLength = result.TokenLength,
                };
            case RefreshOutcome.Unavailable:
                throw new StoreUnavailableException("The session could not be refreshed.");
            default:
                throw new InvalidOperationException($"Unknown outcome {result.Outcome}.");
        }
    }

    /// <summary>Writes a new payload and mints an access token that carries it, with the presented one's format and life.</summary>
    /// <param name="app">The app.</param>
    /// <param name="accessToken">May have expired; its signature must be ours.</param>
    /// <param name="payloadJson">Null keeps the stored payload.</param>
    /// <exception cref="SessionRefusedException">The payload is too large, or holds a claim that is protected in the token's format.</exception>
    public async Task<RegeneratedSession> RegenerateAsync(AppSnapshot app, string accessToken, string? payloadJson)
    {
        ArgumentNullException.ThrowIfNull(app);

        // Set if the signature is good, expired or not. A key that is not known any more proves nothing.
        if ((await CheckTokenAsync(app, accessToken)) is not { Content: { } token } check || !SessionHandle.TryParse(token.SessionHandle, out var handle) || !app.HasTenantOf(handle))
        {
            return new RegeneratedSession(null, null);
        }

        if (payloadJson is not null)
        {
            Refuse(token.UserId, payloadJson, token.Version);
        }

        var result = await Grain(app.App, handle).UpdateAsync(payloadJson, null, CancellationToken.None);
        if (Available(result) is not { } session)
        {
            return new RegeneratedSession(null, null);
        }

        if (check.Outcome != AccessTokenOutcome.Valid)
        {
            return new RegeneratedSession(session, null);
        }

        RefuseProtected(session.PayloadJson, token.Version);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var now = Now();
        var text = AccessTokenIssuer.Mint(token with { IssuedAt = now, PayloadJson = session.PayloadJson }, ring.SigningKey(session.UseDynamicKey, now));
        return new RegeneratedSession(session, new IssuedToken(text, Seconds(now), token.ExpiresAt));
    }

    /// <summary>Ends all sessions of a user, in one tenant or in all.</summary>
    /// <param name="user">Tenant and user.</param>
    /// <param name="allTenants">Also those of the app's other tenants.</param>
    /// <param name="except">A session that lives on.</param>
    /// <param name="actor">Who asked.</param>
    public async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeUserAsync(
        UserKey user, bool allTenants, SessionHandle? except, string actor)
    {
        var scope = RevocationScope.User.Of(user, allTenants, except);
        try
        {
            var revoked = await grains.GetGrain<IUserGrain>(user.ToString())
                .RevokeAllAsync(allTenants, except, RevocationReason.Requested, CancellationToken.None).WaitAsync(GrainPatience, clock);
            return revoked.Outcome == SessionOutcome.Ok
                ? (revoked.Sessions, await revocations.ConfirmAsync(scope, RevocationReason.Requested, actor, revoked.Sessions.Length, revoked.Entries))
                : throw new StoreUnavailableException("The sessions could not be ended.");
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            // Its silo may have died a moment ago: an end does not wait for the cluster to notice. Twice ends no more than once.
            return await revocations.RevokeAsync(scope, RevocationReason.Requested, actor);
        }
    }

    /// <summary>Makes every access token that a key signed worthless, and another key in its place.</summary>
    /// <param name="app">Whose.</param>
    /// <param name="kid">Which.</param>
    /// <param name="actor">Who asked.</param>
    /// <returns>Null if the app has no such key.</returns>
    public async Task<RevocationReceipt?> RevokeKeyAsync(AppSnapshot app, string kid, string actor)
    {
        ArgumentNullException.ThrowIfNull(app);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        if (!ring.TryFind(kid, clock.GetUtcNow(), out _) && !ring.IsUnreadable(kid))
        {
            return null;
        }

        var keys = await grains.GetGrain<ISigningKeysGrain>(app.App.ToString())
            .ReplaceAsync(kid, app.Settings.DynamicKeyUpdateInterval, app.Settings.AccessTokenValidity, CancellationToken.None);
        if (keys is null)
        {
            throw new StoreUnavailableException("The app's keys could not be written.");
        }

        var (_, receipt) = await revocations.RevokeAsync(new RevocationScope.SigningKey { App = app.App, Kid = kid }, RevocationReason.KeyRevoked, actor);
        return receipt;
    }

    /// <summary>A living session; null if there is none.</summary>
    public async ValueTask<SessionRecord?> FindAsync(AppSnapshot app, SessionHandle handle)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (!app.HasTenantOf(handle))
        {
            return null;
        }

        var row = await reader.ReadAsync(new SessionKey(app.App, handle), CancellationToken.None);
        return row is not null && row.ExpiresAt > clock.GetUtcNow() ? row : null;
    }

    /// <summary>Replaces payload and/or data; false if there is no such session.</summary>
    /// <exception cref="SessionRefusedException">The payload is too large, or holds a protected claim.</exception>
    public async Task<bool> UpdateAsync(AppSnapshot app, SessionHandle handle, string? payloadJson, string? dataJson, ClientRules rules)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (payloadJson is not null)
        {
            Refuse("", payloadJson, rules.TokenVersion);
        }

        return app.HasTenantOf(handle) && Available(await Grain(app.App, handle).UpdateAsync(payloadJson, dataJson, CancellationToken.None)) is not null;
    }

    private static SessionSnapshot? Available(SessionResult result) => result.Outcome switch
    {
        SessionOutcome.Ok => result.Session,
        SessionOutcome.NotFound => null,
        _ => throw new StoreUnavailableException("The session could not be changed."),
    };

    private static void Refuse(string userId, string payloadJson, ClientRules rules) => Refuse(userId, payloadJson, rules.TokenVersion);

    private static void Refuse(string userId, string payloadJson, AccessTokenVersion version)
    {
        if (userId.Length > MaxUserIdLength || userId.Contains('\0', StringComparison.Ordinal))
        {
            throw new SessionRefusedException($"A user id may have at most {MaxUserIdLength} characters, none of them U+0000");
        }

        RefuseProtected(payloadJson, version);
        var size = AccessTokenSize.OfPayload(payloadJson);
        if (size > AccessTokenSize.MaxPayload)
        {
            throw new SessionRefusedException(
                $"Field name 'userDataInJWT' has {size} bytes and may have at most {AccessTokenSize.MaxPayload}: the access token has to carry it");
        }
    }

    // At every mint, not only where the payload came in: what an older version took may be protected in this one.
    private static void RefuseProtected(string payloadJson, AccessTokenVersion version)
    {
        if (ProtectedClaims.FindIn(payloadJson, version) is not null)
        {
            throw new SessionRefusedException(SessionRefusedException.ProtectedField);
        }
    }

    private async ValueTask<VerifiedSession> VerifyByOlderRulesAsync(
        AppSnapshot app, SessionHandle handle, AccessTokenContent token, bool checkDatabase)
    {
        // Most checks find nothing to promote: a read tells, and spares the grain.
        var row = await FindAsync(app, handle);
        if (row is null)
        {
            return Ended();
        }

        var differs = checkDatabase && !SamePayload(row.PayloadJson, token.PayloadJson);
        if (token.ParentRefreshTokenHash1 is null && !differs)
        {
            return Verified(token);
        }

        RefuseProtected(row.PayloadJson, token.Version);
        var result = await Grain(app.App, handle).PromoteAsync(
            new PromoteRequest
            {
                Token = StoredHash(token.RefreshTokenHash1),
                Parent = StoredHashOrNull(token.ParentRefreshTokenHash1),
                RefreshTokenValidity = app.Settings.RefreshTokenValidity,
            },
            CancellationToken.None);
        switch (result.Outcome)
        {
            case SessionOutcome.Ok when result.IsCurrent || differs:
                var session = result.Session!;
                RefuseProtected(session.PayloadJson, token.Version);
                var ring = await keyRings.GetAsync(app, CancellationToken.None);

                // The whole validity: only create and refresh shorten it at random. The format of the token that it replaces.
                var access = Mint(
                    app, ring, session, token.Version, Hash1(token.RefreshTokenHash1), null, token.AntiCsrfToken, app.Settings.AccessTokenValidity);
                return Verified(token) with { PayloadJson = session.PayloadJson, NewAccessToken = access };
            case SessionOutcome.Ok:
                return Verified(token);
            case SessionOutcome.NotFound:
                return Ended();
            default:
                throw new StoreUnavailableException("The session could not be checked.");
        }
    }

    private async ValueTask<AccessTokenCheck> CheckTokenAsync(AppSnapshot app, string accessToken)
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

    private IssuedToken Mint(
        AppSnapshot app, KeyRing ring, SessionSnapshot session, AccessTokenVersion version, TokenHash hash1, TokenHash? parentHash1, string? antiCsrf, TimeSpan life)
    {
        var now = Now();
        var content = new AccessTokenContent
        {
            Version = version,
            UserId = session.UserId,
            IssuedAt = Seconds(now),
            ExpiresAt = Seconds(now + life),
            TenantId = session.Handle.TenantId,
            RecipeUserId = session.UserId,
            SessionHandle = session.Handle.ToString(),
            RefreshTokenHash1 = hash1.ToHex(),
            ParentRefreshTokenHash1 = parentHash1?.ToHex(),
            AntiCsrfToken = antiCsrf,
            PayloadJson = session.PayloadJson,
        };
        var text = AccessTokenIssuer.Mint(content, ring.SigningKey(session.UseDynamicKey, now));
        return new IssuedToken(text, content.IssuedAt, content.ExpiresAt);
    }

    // Shortened at random, so that a fleet of clients does not come back in one instant; what a client asks for it gets exactly.
    private static TimeSpan Life(AppSnapshot app, TimeSpan? asked) =>
        asked ?? app.Settings.AccessTokenValidity * (1 - (Random.Shared.NextDouble() * app.Settings.AccessTokenValidityJitter));

    private ISessionGrain Grain(AppKey app, SessionHandle handle) => grains.GetGrain<ISessionGrain>(new SessionKey(app, handle).ToString());

    private static string NewAntiCsrf() => Guid.NewGuid().ToString("D");

    private static TokenHash Hash1(string hex) =>
        TokenHash.TryParseHex(hex, out var hash1) ? hash1 : throw new InvalidOperationException("A checked token holds no hash.");

    private static TokenHash StoredHash(string hash1Hex) => Hash1(hash1Hex).HashOfHex();

    private static TokenHash? StoredHashOrNull(string? hash1Hex) => hash1Hex is null ? null : StoredHash(hash1Hex);

    // Mostly the very text: the token was minted from it. Otherwise order and white space do not count.
    private static bool SamePayload(string stored, string inToken)
    {
        if (stored == inToken)
        {
            return true;
        }

        using var left = JsonDocument.Parse(stored);
        using var right = JsonDocument.Parse(inToken);
        try
        {
            return JsonElement.DeepEquals(left.RootElement, right.RootElement);
        }
        catch (ArgumentOutOfRangeException)
        {
            // A number whose exponent fits no integer can only be compared as text, and the texts differ.
            return false;
        }
    }

    private static VerifiedSession Verified(AccessTokenContent token) => new()
    {
        Verdict = SessionVerdict.Ok,
        Handle = token.SessionHandle,
        UserId = token.UserId,
        TenantId = token.TenantId,
        PayloadJson = token.PayloadJson,
        Token = token,
    };

    private static VerifiedSession Ended() => Unauthorised("Either the session has ended or has been blacklisted");

    private static VerifiedSession TryRefresh(string message) => new() { Verdict = SessionVerdict.TryRefresh, Message = message };

    private static VerifiedSession Unauthorised(string message) => new() { Verdict = SessionVerdict.Unauthorised, Message = message };

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    private static DateTimeOffset Seconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
