using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Client;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Telemetry;
using Grid.Tokens;
using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>Checks access tokens and that their sessions are active: from memory where this process can vouch for it, by the app's policy for stale sessions where it cannot.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the answer is unknown: answer 503.</remarks>
internal sealed class SessionVerifier(
    IGrainFactory grains, AccessTokens accessTokens, Revocations revocations, SessionChecks checks, IKeyRings keyRings, LeaseTerms terms, HolderMetrics metrics,
    TrustedClock clock, ITenantsBehind? behind = null)
{
    /// <summary>
    /// Checks an access token and that its session is active. For a session that this process knows, neither grain nor store is called.
    /// </summary>
    /// <param name="app">The app whose keys are accepted.</param>
    /// <param name="token">The token as presented, and how to check it.</param>
    /// <param name="checkDatabase">Whether the token must also be on the session's living branch.</param>
    /// <param name="rules">The client's.</param>
    public async ValueTask<VerifiedSession> VerifyAsync(AppSnapshot app, TokenToCheck token, bool checkDatabase, ClientRules rules)
    {
        ArgumentNullException.ThrowIfNull(app);
        var check = await accessTokens.CheckAsync(app, token.AccessToken);
        if (check is not { Outcome: AccessTokenOutcome.Valid, Content: { } content } || !SessionHandle.TryParse(content.SessionHandle, out var handle))
        {
            var why = check.Outcome switch
            {
                AccessTokenOutcome.Expired => "Access token expired",
                AccessTokenOutcome.UnknownKey => "Access token signed with an unknown key",
                AccessTokenOutcome.BadSignature => "Access token signature is not valid",
                _ => "Access token is not valid",
            };
            return VerifiedSession.TryRefresh(why, check.Content);
        }

        if (!app.HasTenantOf(handle) && !await behind.HasTenantOfAsync(app, handle))
        {
            return VerifiedSession.Ended();
        }

        if (token.CheckAntiCsrf && (content.AntiCsrfToken is null || content.AntiCsrfToken != token.AntiCsrf))
        {
            return VerifiedSession.TryRefresh("anti-csrf check failed");
        }

        if (rules.OlderRotation && (checkDatabase || content.ParentRefreshTokenHash1 is not null))
        {
            return await VerifyByOlderRulesAsync(app, handle, content, checkDatabase);
        }

        if (!checkDatabase)
        {
            return !token.CheckSession || await AcceptsAsync(app, handle) ? VerifiedSession.Of(content) : VerifiedSession.Ended();
        }

        // What is remembered may be slightly stale: good enough for a yes; a no is confirmed by reading again.
        if (await ReadAsync(app, handle, fresh: false) is not { } remembered)
        {
            return VerifiedSession.Ended();
        }

        return CheckBranch(remembered, content) is { Check.Verdict: SessionVerdict.Ok, PayloadUpdateAvailable: false } verified ? verified
            : await ReadAsync(app, handle, fresh: true) is { } row ? CheckBranch(row, content)
            : VerifiedSession.Ended();
    }

    /// <summary>Counts an answer at its door.</summary>
    public TokenCheck Counted(CheckDoor door, TokenCheck check)
    {
        metrics.Checked(door, check.Verdict switch
        {
            SessionVerdict.Ok => CheckResult.Ok,
            SessionVerdict.TryRefresh => CheckResult.TryRefresh,
            _ => CheckResult.Unauthorised,
        });
        return check;
    }

    /// <summary>Counts a question about a session without a token.</summary>
    public bool Counted(CheckDoor door, bool isActive)
    {
        metrics.Checked(door, isActive ? CheckResult.Ok : CheckResult.Unauthorised);
        return isActive;
    }

    /// <summary>Counts a check whose answer is unknown.</summary>
    public void CountUnavailable(CheckDoor door) => metrics.Checked(door, CheckResult.Unavailable);

    /// <summary>Whether a session is active, as <see cref="VerifyAsync"/> sees it of a token's.</summary>
    public ValueTask<bool> IsActiveAsync(AppSnapshot app, SessionHandle handle)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.HasTenantOf(handle) ? AcceptsAsync(app, handle) : AcceptsOfTenantBehindAsync(app, handle);
    }

    private async ValueTask<bool> AcceptsOfTenantBehindAsync(AppSnapshot app, SessionHandle handle) =>
        await behind.HasTenantOfAsync(app, handle) && await AcceptsAsync(app, handle);

    private async ValueTask<VerifiedSession> VerifyByOlderRulesAsync(AppSnapshot app, SessionHandle handle, AccessTokenContent token, bool checkDatabase)
    {
        // As above: the remembered row is good enough for a yes, also with the token that goes with it. What it does not bear out is read again.
        if (await ReadAsync(app, handle, fresh: false) is not { } row)
        {
            return VerifiedSession.Ended();
        }

        var standing = StandingOf(row, token, checkDatabase);
        if (standing is not (Standing.AsItIs or Standing.Settled))
        {
            if (await ReadAsync(app, handle, fresh: true) is not { } read)
            {
                return VerifiedSession.Ended();
            }

            row = read;
            standing = StandingOf(row, token, checkDatabase);
        }

        if (standing == Standing.AsItIs)
        {
            return VerifiedSession.Of(token);
        }

        PayloadRules.CheckProtected(row.PayloadJson, token.Version);

        // The grain also ends a session that a shorter lifetime finds too old.
        return standing == Standing.Promotes || SessionExpiry.EndsWithin(row.CreatedAt, clock.GetUtcNow(), app.Settings.MaxLifetime)
            ? await PromoteAsync(app, handle, token, differs: checkDatabase && !SamePayload(row, token.PayloadJson))
            : standing == Standing.LeftBehind ? VerifiedSession.Of(token)
            : await ReplaceAsync(app, token, row.ToTokenSource(handle));
    }

    private async Task<VerifiedSession> PromoteAsync(AppSnapshot app, SessionHandle handle, AccessTokenContent token, bool differs)
    {
        var result = await grains.SessionOf(app.App, handle).PromoteAsync(
            new PromoteRequest
            {
                Token = StoredHash(token.RefreshTokenHash1),
                Parent = StoredHashOrNull(token.ParentRefreshTokenHash1),
                RefreshTokenValidity = app.Settings.RefreshTokenValidity,
                MaxLifetime = app.Settings.MaxLifetime,
            },
            CancellationToken.None);
        switch (result.Outcome)
        {
            case SessionOutcome.Ok when result.IsCurrent || differs:
                return await ReplaceAsync(app, token, result.Session!);
            case SessionOutcome.Ok:
                return VerifiedSession.Of(token);
            case SessionOutcome.NotFound:
                await revocations.ConfirmAsync(new SessionKey(app.App, handle), RevocationReason.LifetimeOver, result.Ended);
                return VerifiedSession.Ended();
            default:
                throw new StoreUnavailableException("The session could not be checked.");
        }
    }

    // With a token of the format of the one that it replaces, without parent, and with the full validity, since only create and refresh shorten it at random.
    private async Task<VerifiedSession> ReplaceAsync(AppSnapshot app, AccessTokenContent token, SessionSnapshot session)
    {
        PayloadRules.CheckProtected(session.PayloadJson, token.Version);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var access = accessTokens.Mint(
            app, ring, session, token.Version, Hash1(token.RefreshTokenHash1), null, token.AntiCsrfToken, app.Settings.AccessTokenValidity);
        return VerifiedSession.Of(token) with { NewPayloadJson = session.PayloadJson, NewAccessToken = access };
    }

    private ValueTask<bool> AcceptsAsync(AppSnapshot app, SessionHandle handle)
    {
        var finding = checks.FindAsync(Name(app, handle));
        return finding is { IsCompletedSuccessfully: true, Result.Liveness: Liveness.Active } ? new ValueTask<bool>(true) : AcceptsAsync(app, finding);
    }

    private async ValueTask<bool> AcceptsAsync(AppSnapshot app, ValueTask<SessionFinding> finding)
    {
        try
        {
            return (await finding).Liveness switch
            {
                Liveness.Active => true,
                Liveness.Ended => false,
                _ => throw Undetermined(),
            };
        }
        catch (StoreUnavailableException) when (app.Settings.StaleBehaviour == StaleBehaviour.Bounded)
        {
            metrics.AcceptedUnchecked();
            return true;
        }
    }

    /// <summary>What is kept of an active session's row; null if there is none.</summary>
    /// <param name="app">The app.</param>
    /// <param name="handle">The session.</param>
    /// <param name="fresh">Whether it must have been read from the store since this call. Otherwise one will do that was read within the lease and is not known to have
    /// changed, or within two while the store does not answer.</param>
    /// <exception cref="StoreUnavailableException">The store could not be read.</exception>
    private async ValueTask<RememberedRow?> ReadAsync(AppSnapshot app, SessionHandle handle, bool fresh)
    {
        var finding = await checks.FindAsync(Name(app, handle), fresh ? TimeSpan.Zero : terms.Lease);
        return finding.Liveness switch
        {
            Liveness.Active when finding.Details == DetailsAge.Outdated => throw new StoreUnavailableException("The session's row could not be read again."),
            Liveness.Active => RememberedRow.From(finding.Session!.Details!, finding.Session.UserId),
            Liveness.Ended => null,
            _ => throw Undetermined(),
        };
    }

    // Source: docs/protocol/core.md, "Verify", point 5.
    private static Standing StandingOf(RememberedRow row, AccessTokenContent token, bool checkDatabase)
    {
        if (token.ParentRefreshTokenHash1 is not { } parent)
        {
            return checkDatabase && !SamePayload(row, token.PayloadJson) ? Standing.Differs : Standing.AsItIs;
        }

        return row.IsCurrent(StoredHash(parent)) ? Standing.Promotes
            : checkDatabase && !SamePayload(row, token.PayloadJson) ? Standing.Differs
            : row.IsCurrent(StoredHash(token.RefreshTokenHash1)) ? Standing.Settled
            : Standing.LeftBehind;
    }

    private static VerifiedSession CheckBranch(RememberedRow row, AccessTokenContent token) =>
        row.IsLive(StoredHash(token.RefreshTokenHash1), StoredHashOrNull(token.ParentRefreshTokenHash1))
            ? VerifiedSession.Of(token) with { PayloadUpdateAvailable = !SamePayload(row, token.PayloadJson) }
            : VerifiedSession.Unauthorised("rotated-out token branch; refresh required");

    private static SessionName Name(AppSnapshot app, SessionHandle handle) => new SessionKey(app.App, handle).Name;

    private static StoreUnavailableException Undetermined() => new("The store has not been heard from for a lease: cannot determine whether the session is active.");

    private static TokenHash Hash1(string hex) =>
        TokenHash.TryParseHex(hex, out var hash1) ? hash1 : throw new InvalidOperationException("A checked token holds no hash.");

    private static TokenHash StoredHash(string hash1Hex) => Hash1(hash1Hex).HashOfHex();

    private static TokenHash? StoredHashOrNull(string? hash1Hex) => hash1Hex is null ? null : StoredHash(hash1Hex);

    // Usually the same text, since the token was minted from it. Otherwise order and white space do not matter.
    private static bool SamePayload(RememberedRow row, string inToken)
    {
        if (row.HasPayloadText(inToken))
        {
            return true;
        }

        using var left = JsonDocument.Parse(row.PayloadJson);
        using var right = JsonDocument.Parse(inToken);
        try
        {
            return JsonElement.DeepEquals(left.RootElement, right.RootElement);
        }
        catch (ArgumentOutOfRangeException)
        {
            // A number with an exponent that overflows can only be compared as text, and the texts differ.
            return false;
        }
    }

    /// <summary>How an access token stands to its session's row, by the older rules.</summary>
    private enum Standing
    {
        /// <summary>It stays.</summary>
        AsItIs,

        /// <summary>Its refresh token was promoted: one without parent takes its place.</summary>
        Settled,

        /// <summary>This is the first use of its refresh token's access token.</summary>
        Promotes,

        /// <summary>The stored payload is another: one with that takes its place.</summary>
        Differs,

        /// <summary>Another branch is current. It stays.</summary>
        LeftBehind,
    }
}
