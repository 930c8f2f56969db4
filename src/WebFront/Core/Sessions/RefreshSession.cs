using Grid.Client;
using Grid.Tokens.Access;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session/refresh</c>. Source: <c>docs/protocol/core.md</c>, "Refresh".</summary>
/// <remarks><c>joinWithin</c> (ms), <c>maxAccessTokenLength</c> and <c>otherRefreshTokens</c> are ours, beside the protocol: <c>docs/protocol.md</c>.</remarks>
internal static class RefreshSession
{
    private const int MaxJoinWithin = 5000;
    private const int MaxOthers = 7;

    public static async Task HandleAsync(HttpContext context, SessionRefresher refresher)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var refreshToken = body.String("refreshToken");
        var enableAntiCsrf = body.Bool("enableAntiCsrf");
        var antiCsrf = body.StringOrNull("antiCsrfToken");
        var useDynamicKey = request.Version >= CdiVersion.V5 ? body.Bool("useDynamicSigningKey") : body.BoolOrNull("useDynamicSigningKey");
        var joinWithin = body.LongOrNull("joinWithin") ?? 0;
        if (joinWithin is < 0 or > MaxJoinWithin)
        {
            throw new CoreException(400, $"Field name 'joinWithin' must be between 0 and {MaxJoinWithin} milliseconds");
        }

        var others = body.StringsOrNull("otherRefreshTokens", MaxOthers, out _);
        var maxAccessTokenLength = body.LongOrNull("maxAccessTokenLength");
        if (maxAccessTokenLength is < 1 or > AccessTokenSize.MaxLength)
        {
            throw new CoreException(400, $"Field name 'maxAccessTokenLength' must be between 1 and {AccessTokenSize.MaxLength} characters");
        }

        TokenRefresh refreshed;
        try
        {
            var token = new TokenToRefresh(refreshToken, enableAntiCsrf, antiCsrf, useDynamicKey ?? true)
            {
                JoinWithin = TimeSpan.FromMilliseconds(joinWithin),
                MaxAccessTokenLength = (int)(maxAccessTokenLength ?? 0),
                Others = others,
            };
            refreshed = await refresher.RefreshAsync(request.App, token, SessionWire.AccessTokenValidity(body, request), request.Version.Rules, keepsKey: useDynamicKey is null);
        }
        catch (SessionRefusedException refusal) when (maxAccessTokenLength is not null && refusal.TokenLength is not null)
        {
            await CoreResponse.WriteStatusAsync(context, "ACCESS_TOKEN_TOO_LONG", refusal.Message);
            return;
        }

        switch (refreshed.Verdict)
        {
            case SessionVerdict.Ok:
                await CoreResponse.WriteAsync(context, "OK", (refreshed, request.Version), static (json, state) =>
                {
                    var (session, version) = state;
                    SessionWire.WriteSession(json, version, session.Handle!, session.UserId!, session.RecipeUserId!, session.TenantId, session.PayloadJson);
                    SessionWire.WriteTokens(json, session.Tokens!);
                });
                break;
            case SessionVerdict.Unauthorised:
                await CoreResponse.WriteAsync(context, "UNAUTHORISED", refreshed, static (json, refused) =>
                {
                    CoreResponse.WriteIfAny(json, "message", refused.Why);
                    CoreResponse.WriteIfAny(json, "recentTokenReuseSubtype", SessionWire.WireName(refused.Reuse));
                });
                break;
            case SessionVerdict.TokenTheft:
                await CoreResponse.WriteAsync(context, "TOKEN_THEFT_DETECTED", (refreshed, request.Version), static (json, state) =>
                {
                    var (session, version) = state;
                    SessionWire.WriteSession(json, version, session.Handle!, session.UserId!, session.RecipeUserId!, tenantId: null, payloadJson: null);
                    CoreResponse.WriteIfAny(json, "recentTokenReuseSubtype", SessionWire.WireName(session.Reuse));
                });
                break;
            default:
                throw new InvalidOperationException($"A refresh cannot end in {refreshed.Verdict}.");
        }
    }
}
