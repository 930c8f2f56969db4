using Grid.Abstractions;
using Grid.Client;
using Grid.Revocation.Telemetry;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session/verify</c>. Source: <c>docs/protocol/core.md</c>, "Verify".</summary>
internal static class VerifySession
{
    public static async Task HandleAsync(HttpContext context, SessionVerifier verifier)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var accessToken = body.String("accessToken");
        var enableAntiCsrf = body.Bool("enableAntiCsrf");
        var doAntiCsrfCheck = body.Bool("doAntiCsrfCheck");
        var checkDatabase = body.Bool("checkDatabase");
        var antiCsrf = body.StringOrNull("antiCsrfToken");
        var token = new TokenToCheck(accessToken, enableAntiCsrf && doAntiCsrfCheck, antiCsrf, CheckSession: true);
        VerifiedSession verified;
        try
        {
            verified = await verifier.VerifyAsync(request.App, token, checkDatabase, request.Version.Rules);
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException)
        {
            verifier.CountUnavailable(CheckDoor.Core);
            throw;
        }

        switch (verifier.Counted(CheckDoor.Core, verified.Check).Verdict)
        {
            case SessionVerdict.Ok:
                await CoreResponse.WriteAsync(context, "OK", (verified, request.Version), static (json, state) =>
                {
                    var (session, version) = state;
                    var content = session.Check.Token!;
                    SessionWire.WriteSession(json, version, content.SessionHandle, content.UserId, content.RecipeUserId, content.TenantId, session.NewPayloadJson ?? content.PayloadJson);
                    if (session.NewAccessToken is { } accessToken)
                    {
                        SessionWire.WriteToken(json, "accessToken", accessToken);
                    }

                    if (session.PayloadUpdateAvailable is { } available)
                    {
                        json.WriteBoolean("payloadUpdateAvailable"u8, available);
                    }
                });
                break;
            case SessionVerdict.TryRefresh:
                await CoreResponse.WriteStatusAsync(context, "TRY_REFRESH_TOKEN", verified.Check.Why);
                break;
            case SessionVerdict.Unauthorised:
                await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", verified.Check.Why);
                break;
            default:
                throw new InvalidOperationException($"A verification cannot end in {verified.Check.Verdict}.");
        }
    }
}
