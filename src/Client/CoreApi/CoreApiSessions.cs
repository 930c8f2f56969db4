using System.Text.Json.Nodes;
using Grid.Client.Live;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Tokens.Access;
using Microsoft.Extensions.Options;

namespace Grid.Client.CoreApi;

/// <summary>Sessions over the core API. Access tokens are checked here, with the published keys.</summary>
/// <remarks>Wire: <c>docs/protocol/core.md</c> and, for what is Grid's own, <c>docs/protocol.md</c>.</remarks>
internal sealed class CoreApiSessions : IGridSessions, IDisposable
{
    private readonly CoreApiClient _api;
    private readonly PublishedKeyRing _keys;
    private readonly LiveSessions _live;
    private readonly AccessTokenVerifier _verifier = new();
    private readonly TimeProvider _clock;

    public CoreApiSessions(IOptions<GridClientOptions> options, LiveSessions live, TimeProvider clock)
    {
        _api = new CoreApiClient(options.Value);
        _live = live;
        _keys = new PublishedKeyRing(_api, live.IsRevokedKey, clock);
        _clock = clock;
        live.Holder.KeyRevoked += (_, _) => _keys.LeaveOutRevoked();
    }

    public async Task<CreatedGridSession> CreateAsync(NewGridSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var answer = await _api.PostAsync(
            $"{Tenant(session.TenantId)}/recipe/session",
            new JsonObject
            {
                ["userId"] = session.UserId,
                ["enableAntiCsrf"] = session.WithAntiCsrf,
                ["userDataInJWT"] = JsonNode.Parse(session.PayloadJson),
                ["userDataInDatabase"] = JsonNode.Parse(session.DataJson),
                ["useDynamicSigningKey"] = session.UseDynamicSigningKey,
            },
            cancellationToken);
        var made = answer["session"]!;
        return new CreatedGridSession(
            Text(made, "handle"), Text(made, "userId"), Text(made, "tenantId"), made["userDataInJWT"]!.ToJsonString(), Tokens(answer));
    }

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
            return new TokenCheck(TokenVerdict.TryRefresh, check.Content, check.Outcome.ToString());
        }

        if (token.CheckAntiCsrf && (content.AntiCsrfToken is null || content.AntiCsrfToken != token.AntiCsrf))
        {
            return new TokenCheck(TokenVerdict.TryRefresh, Why: "anti-CSRF token missing or different");
        }

        if (!token.CheckSession)
        {
            // A revoked signing key is heard of all the same.
            await _live.BeginAsync();
        }
        else if (!await _live.AcceptsAsync(content.SessionHandle))
        {
            return new TokenCheck(TokenVerdict.Unauthorised, Why: "the session is over");
        }

        return new TokenCheck(TokenVerdict.Ok, content);
    }

    public async Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["refreshToken"] = token.RefreshToken,
            ["enableAntiCsrf"] = token.EnableAntiCsrf,
            ["useDynamicSigningKey"] = token.UseDynamicSigningKey,
            ["joinWithin"] = (long)TokenToRefresh.JoinWithin.TotalMilliseconds,
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
        var answer = await _api.EndAsync("/recipe/session/refresh", body, cancellationToken);
        var session = answer["session"];
        return Verdict(answer) switch
        {
            TokenVerdict.Ok => new TokenRefresh(TokenVerdict.Ok, Text(session!, "handle"), Text(session!, "userId"), Text(session!, "tenantId"), Tokens(answer)),
            TokenVerdict.TokenTheft => new TokenRefresh(TokenVerdict.TokenTheft, Text(session!, "handle"), Text(session!, "userId")),
            var other => new TokenRefresh(other),
        };
    }

    public async Task<RegeneratedToken?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken)
    {
        var answer = await _api.PostAsync(
            "/recipe/session/regenerate", new JsonObject { ["accessToken"] = accessToken, ["userDataInJWT"] = JsonNode.Parse(payloadJson) }, cancellationToken);
        if (Verdict(answer) != TokenVerdict.Ok)
        {
            return null;
        }

        var payload = answer["session"]!["userDataInJWT"]!.ToJsonString();
        return answer["accessToken"] is { } token ? new RegeneratedToken(payload, Text(token, "token"), Time(token, "expiry")) : new RegeneratedToken(payload, null, default);
    }

    public async ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken)
    {
        var answer = await _api.GetAsync($"/recipe/session?sessionHandle={Uri.EscapeDataString(handle)}", cancellationToken);
        return Verdict(answer) != TokenVerdict.Ok
            ? null
            : new SessionInformation
            {
                Handle = Text(answer, "sessionHandle"),
                UserId = Text(answer, "userId"),
                TenantId = Text(answer, "tenantId"),
                PayloadJson = answer["userDataInJWT"]!.ToJsonString(),
                DataJson = answer["userDataInDatabase"]!.ToJsonString(),
                CreatedAt = Time(answer, "timeCreated"),
                ExpiresAt = Time(answer, "expiry"),
            };
    }

    public async Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken)
    {
        var all = tenantId is null ? "true" : "false";
        return Texts(await _api.GetAsync($"{Tenant(tenantId)}/recipe/session/user?userId={Uri.EscapeDataString(userId)}&fetchAcrossAllTenants={all}", cancellationToken), "sessionHandles");
    }

    public async Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => Verdict(await _api.PutAsync(
        "/recipe/session/data", new JsonObject { ["sessionHandle"] = handle, ["userDataInDatabase"] = JsonNode.Parse(dataJson) }, cancellationToken)) == TokenVerdict.Ok;

    public async Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) => Verdict(await _api.PutAsync(
        "/recipe/jwt/data", new JsonObject { ["sessionHandle"] = handle, ["userDataInJWT"] = JsonNode.Parse(payloadJson) }, cancellationToken)) == TokenVerdict.Ok;

    public async Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["sessionHandles"] = new JsonArray(handle) };
        if (reason != GridRevocationReason.Requested)
        {
            body["reason"] = reason == GridRevocationReason.SignedOut ? "SIGNED_OUT" : "REPLACED";
        }

        return Revoked(await _api.EndAsync("/session/revoke", body, cancellationToken));
    }

    public async Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["userId"] = userId, ["revokeAcrossAllTenants"] = tenantId is null };
        if (exceptHandle is not null)
        {
            body["exceptSessionHandle"] = exceptHandle;
        }

        return Revoked(await _api.EndAsync($"{Tenant(tenantId)}/session/revoke", body, cancellationToken));
    }

    public SessionWatch Watch(string handle) => _live.Watch(handle);

    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => _keys.ReadAsync(cancellationToken);

    public void Dispose()
    {
        _api.Dispose();
    }

    private static string Tenant(string? tenantId) => tenantId is null or GridClientDefaults.TenantId ? "" : "/" + Uri.EscapeDataString(tenantId);

    private static TokenVerdict Verdict(JsonObject answer) => answer["status"]?.GetValue<string>() switch
    {
        "OK" => TokenVerdict.Ok,
        "UNAUTHORISED" => TokenVerdict.Unauthorised,
        "TRY_REFRESH_TOKEN" => TokenVerdict.TryRefresh,
        "TOKEN_THEFT_DETECTED" => TokenVerdict.TokenTheft,
        "ACCESS_TOKEN_TOO_LONG" => throw new GridException(GridFailure.TokenTooLong, answer["message"]?.GetValue<string>() ?? "The access token would be too long."),
        var other => throw new GridException(GridFailure.Refused, $"The core API answered with the status '{other}', which this client does not know: update Grid.Client."),
    };

    private static GridRevocation Revoked(JsonObject answer)
    {
        _ = Verdict(answer);
        var holders = answer["holders"]!;
        return new GridRevocation(Texts(answer, "sessionHandlesRevoked"), new RevocationReceipt(
            answer["position"]!.GetValue<long>(), TimeSpan.FromMilliseconds(answer["milliseconds"]!.GetValue<double>()),
            holders["confirmed"]!.GetValue<int>(), holders["waitedOut"]!.GetValue<int>(), holders["excluded"]!.GetValue<int>()));
    }

    private static GridTokens Tokens(JsonObject answer) => new()
    {
        Access = Text(answer["accessToken"]!, "token"),
        AccessExpiresAt = Time(answer["accessToken"]!, "expiry"),
        Refresh = Text(answer["refreshToken"]!, "token"),
        RefreshExpiresAt = Time(answer["refreshToken"]!, "expiry"),
        AntiCsrf = answer["antiCsrfToken"]?.GetValue<string>(),
    };

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static DateTimeOffset Time(JsonNode node, string name) => DateTimeOffset.FromUnixTimeMilliseconds(node[name]!.GetValue<long>());

    private static string[] Texts(JsonNode node, string name) => [.. node[name]!.AsArray().Select(item => item!.GetValue<string>())];
}
