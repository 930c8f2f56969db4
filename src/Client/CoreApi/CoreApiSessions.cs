using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Client.Live;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Tokens.Refresh;
using Microsoft.Extensions.Options;

namespace Grid.Client.CoreApi;

/// <summary>Sessions over the core API. Access tokens are checked here, with the published keys.</summary>
/// <remarks>Wire: <c>docs/protocol/core.md</c> and, for what is Grid's own, <c>docs/protocol.md</c>.</remarks>
internal sealed class CoreApiSessions : IGridSessions
{
    private readonly CoreApiClient _api;
    private readonly ServiceHolder _live;
    private readonly LocalChecks _checks;

    public CoreApiSessions(IHttpClientFactory http, IOptions<GridClientOptions> options, ServiceHolder live, TimeProvider clock)
        : this(new CoreApiClient(http, options.Value), live, clock)
    {
    }

    internal CoreApiSessions(CoreApiClient api, ServiceHolder live, TimeProvider clock)
    {
        _api = api;
        _live = live;
        _checks = new LocalChecks(live, _api.GetKeysAsync, clock);
    }

    public async Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var answer = await _api.PostAsync(
            $"{Tenant(draft.TenantId)}/recipe/session",
            new JsonObject
            {
                ["userId"] = WholeText.Require(draft.UserId),
                ["enableAntiCsrf"] = draft.WithAntiCsrf,
                ["userDataInJWT"] = Json(draft.PayloadJson, nameof(draft.PayloadJson)),
                ["userDataInDatabase"] = Json(draft.DataJson, nameof(draft.DataJson)),
                ["useDynamicSigningKey"] = draft.UseDynamicSigningKey,
            },
            CoreAnswerJson.Default.SessionAnswer,
            cancellationToken);
        Expect(answer);
        var session = answer.Session.Needed();
        return new CreatedSession(
            session.Handle.Needed(), session.UserId.Needed(), session.TenantId.Needed(), session.UserDataInJWT.Needed().GetRawText(), Tokens(answer))
        { RecipeUserId = session.RecipeUserId ?? session.UserId! };
    }

    public ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken) => _checks.VerifyAsync(token, cancellationToken);

    public ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => _live.AcceptsAsync(handle);

    public async Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["refreshToken"] = token.RefreshToken,
            ["enableAntiCsrf"] = token.EnableAntiCsrf,
            ["useDynamicSigningKey"] = token.UseDynamicSigningKey,
            ["joinWithin"] = (long)token.JoinWithin.TotalMilliseconds,
        };
        if (token.MaxAccessTokenLength > 0)
        {
            body["maxAccessTokenLength"] = token.MaxAccessTokenLength;
        }

        if (token.AntiCsrf is not null)
        {
            body["antiCsrfToken"] = token.AntiCsrf;
        }

        if (token.Others is not null)
        {
            body["otherRefreshTokens"] = new JsonArray([.. token.Others.Select(other => (JsonNode)other)]);
        }

        // A token that was used before ends its session.
        var answer = await _api.EndAsync("/recipe/session/refresh", body, CoreAnswerJson.Default.SessionAnswer, cancellationToken);
        var verdict = Verdict(answer);
        var refresh = new TokenRefresh { Verdict = verdict, Reuse = Reuse(answer.RecentTokenReuseSubtype), Why = answer.Message };
        if (verdict is not (SessionVerdict.Ok or SessionVerdict.TokenTheft))
        {
            return refresh;
        }

        var session = answer.Session.Needed();
        refresh = refresh with { Handle = session.Handle.Needed(), UserId = session.UserId.Needed(), RecipeUserId = session.RecipeUserId ?? session.UserId! };
        return verdict == SessionVerdict.Ok
            ? refresh with { TenantId = session.TenantId.Needed(), PayloadJson = session.UserDataInJWT.Needed().GetRawText(), Tokens = Tokens(answer) }
            : refresh;
    }

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        RegenerateAsync(new JsonObject { ["accessToken"] = accessToken, ["userDataInJWT"] = Json(payloadJson, nameof(payloadJson)) }, cancellationToken);

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken) =>
        RegenerateAsync(new JsonObject { ["accessToken"] = accessToken }, cancellationToken);

    public async ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken)
    {
        var answer = await _api.GetAsync(
            $"/recipe/session?sessionHandle={Uri.EscapeDataString(handle)}", CoreAnswerJson.Default.StoredAnswer, cancellationToken);
        return Verdict(answer) != SessionVerdict.Ok
            ? null
            : new SessionInformation
            {
                Handle = answer.SessionHandle.Needed(),
                UserId = answer.UserId.Needed(),
                RecipeUserId = answer.RecipeUserId ?? answer.UserId!,
                TenantId = answer.TenantId.Needed(),
                PayloadJson = answer.UserDataInJWT.Needed().GetRawText(),
                DataJson = answer.UserDataInDatabase.Needed().GetRawText(),
                CreatedAt = answer.TimeCreated.NeededTime(),
                ExpiresAt = answer.Expiry.NeededTime(),
            };
    }

    public async Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken)
    {
        var all = tenantId is null ? "true" : "false";
        var answer = await _api.GetAsync(
            $"{Tenant(tenantId)}/recipe/session/user?userId={Uri.EscapeDataString(WholeText.Require(userId))}&fetchAcrossAllTenants={all}",
            CoreAnswerJson.Default.ListAnswer,
            cancellationToken);
        Expect(answer);
        return answer.SessionHandles.AllNeeded();
    }

    public async Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => Verdict(await _api.PutAsync(
        "/recipe/session/data",
        new JsonObject { ["sessionHandle"] = handle, ["userDataInDatabase"] = Json(dataJson, nameof(dataJson)) },
        cancellationToken)) == SessionVerdict.Ok;

    public async Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) =>
        await ChangePayloadAsync(handle, "replace", Json(payloadJson, nameof(payloadJson)), cancellationToken) is not null;

    public Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken) =>
        ChangePayloadAsync(handle, "merge", Json(changesJson, nameof(changesJson)), cancellationToken);

    public async Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var body = new JsonObject
        {
            ["algorithm"] = "RS256",
            ["payload"] = Json(draft.PayloadJson, nameof(draft.PayloadJson)),
            ["validity"] = (long)draft.Validity.TotalSeconds,
            ["useStaticSigningKey"] = draft.UseStaticSigningKey,
        };
        if (draft.Issuer is { } issuer)
        {
            body["jwksDomain"] = WholeText.Require(issuer);
        }

        var answer = await _api.PostAsync("/recipe/jwt", body, CoreAnswerJson.Default.JwtAnswer, cancellationToken);
        Expect(answer);
        return answer.Jwt.Needed();
    }

    public Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken) => RevokeAsync([handle], reason, cancellationToken);

    public async Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessionHandles);
        var body = new JsonObject { ["sessionHandles"] = new JsonArray([.. sessionHandles.Select(handle => (JsonNode)handle)]) };
        if (reason != GridRevocationReason.Requested)
        {
            body["reason"] = reason == GridRevocationReason.SignedOut ? "SIGNED_OUT" : "REPLACED";
        }

        return Revoked(await _api.EndAsync("/session/revoke", body, CoreAnswerJson.Default.RevokedAnswer, cancellationToken));
    }

    public async Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        return Revoked(await _api.EndAsync(
            $"{Tenant(tenantId)}/session/revoke", new JsonObject { ["allOfTenant"] = true }, CoreAnswerJson.Default.RevokedAnswer, cancellationToken));
    }

    public async Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["userId"] = WholeText.Require(userId), ["revokeAcrossAllTenants"] = tenantId is null };
        if (exceptHandle is not null)
        {
            body["exceptSessionHandle"] = exceptHandle;
        }

        return Revoked(await _api.EndAsync($"{Tenant(tenantId)}/session/revoke", body, CoreAnswerJson.Default.RevokedAnswer, cancellationToken));
    }

    public SessionWatch Watch(string handle) => _live.Watch(handle);

    public IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, CancellationToken cancellationToken) => throw new GridException(
        GridFailure.Refused, "A user cannot be watched over HTTP. Use the grain client (AddGridGrainClient()), or a silo in this process (AddGridSilo()).");

    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => _checks.ReadKeysAsync(cancellationToken);

    private async Task<RegeneratedSession?> RegenerateAsync(JsonObject body, CancellationToken cancellationToken)
    {
        var answer = await _api.PostAsync("/recipe/session/regenerate", body, CoreAnswerJson.Default.SessionAnswer, cancellationToken);
        if (Verdict(answer) != SessionVerdict.Ok)
        {
            return null;
        }

        var session = answer.Session.Needed();
        return new RegeneratedSession(
            session.Handle.Needed(), session.UserId.Needed(), session.TenantId.Needed(), session.UserDataInJWT.Needed().GetRawText(),
            answer.AccessToken is { } accessToken ? Issued(accessToken) : null)
        { RecipeUserId = session.RecipeUserId ?? session.UserId! };
    }

    // The protocol's own call replaces all, what the front made too.
    private async Task<string?> ChangePayloadAsync(string handle, string how, JsonNode? changes, CancellationToken cancellationToken)
    {
        var answer = await _api.PostAsync("/session/payload", new JsonObject { ["sessionHandle"] = handle, [how] = changes }, CoreAnswerJson.Default.StoredAnswer, cancellationToken);
        return Verdict(answer) == SessionVerdict.Ok ? answer.UserDataInJWT.Needed().GetRawText() : null;
    }

    private static string Tenant(string? tenantId) => tenantId is null or GridClientDefaults.TenantId ? "" : "/" + Uri.EscapeDataString(tenantId);

    private static JsonNode? Json(string text, string name)
    {
        try
        {
            return JsonNode.Parse(WholeText.Require(text, name));
        }
        catch (JsonException failure)
        {
            throw new GridException(GridFailure.Refused, $"{name} is not JSON: {failure.Message}", failure);
        }
    }

    private static SessionVerdict Verdict(CoreAnswer answer) => answer.Status.Needed() switch
    {
        "OK" => SessionVerdict.Ok,
        "UNAUTHORISED" => SessionVerdict.Unauthorised,
        "TRY_REFRESH_TOKEN" => SessionVerdict.TryRefresh,
        "TOKEN_THEFT_DETECTED" => SessionVerdict.TokenTheft,
        "ACCESS_TOKEN_TOO_LONG" => throw new GridException(GridFailure.TokenTooLong, answer.Message ?? "The access token would be too long."),
        var other => throw Unknown(other),
    };

    // For calls with only one successful status.
    private static void Expect(CoreAnswer answer)
    {
        if (Verdict(answer) is not SessionVerdict.Ok)
        {
            throw Unknown(answer.Status!);
        }
    }

    private static GridException Unknown(string status) =>
        new(GridFailure.Refused, $"The core API answered with the status '{status}', which this client does not know: update Grid.Client.");

    private static GridRevocation Revoked(RevokedAnswer answer)
    {
        Expect(answer);
        var holders = answer.Holders.Needed();
        return new GridRevocation(answer.SessionHandlesRevoked.AllNeeded(), new RevocationReceipt(
            answer.Position.Needed(), answer.Milliseconds.NeededSpan(), holders.Confirmed.Needed(), holders.WaitedOut.Needed(), holders.Excluded.Needed()));
    }

    private static SessionTokens Tokens(SessionAnswer answer)
    {
        var (accessToken, refreshToken) = (answer.AccessToken.Needed(), answer.RefreshToken.Needed());
        return new SessionTokens(Issued(accessToken), Issued(refreshToken), answer.AntiCsrfToken);
    }

    private static IssuedToken Issued(TokenPart token, [CallerArgumentExpression(nameof(token))] string? name = null) => new(
        token.Token.Needed($"{name}.token"), token.CreatedTime.NeededTime($"{name}.createdTime"), token.Expiry.NeededTime($"{name}.expiry"));

    // A kind unknown to this client is not worth an exception.
    private static ReuseKind Reuse(string? subtype) => subtype switch
    {
        "RECENT_PREV" => ReuseKind.RecentPrevious,
        "ORPHANED_BRANCH" => ReuseKind.OrphanedBranch,
        "STALE_LINEAGE" => ReuseKind.StaleLineage,
        _ => ReuseKind.None,
    };
}
