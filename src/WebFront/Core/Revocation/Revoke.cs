using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.WebFront.Core.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Revocation;

/// <summary><c>POST /session/revoke</c>: revokes sessions and returns the receipt.</summary>
internal static class Revoke
{
    private static readonly string[] Kinds = ["sessionHandles", "userId", "allOfTenant", "allOfApp", "signingKey"];

    public static async Task HandleAsync(HttpContext context, Revocations revocations, SigningKeyRevocation keys)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var kinds = Kinds.Where(body.Has).ToList();
        if (kinds.Count != 1)
        {
            throw new CoreException(400, $"Invalid JSON input - use exactly one of {string.Join(", ", Kinds)}");
        }

        var (sessions, receipt) = await RevokeAsync(context, revocations, keys, request, body, kinds[0]);
        await CoreResponse.WriteAsync(context, "OK", (sessions, receipt), static (json, state) =>
        {
            var (ended, receipt) = state;
            SessionWire.WriteHandles(json, "sessionHandlesRevoked", ended);
            json.WriteNumber("position"u8, receipt.Position);
            json.WriteNumber("milliseconds"u8, Math.Round(receipt.Elapsed.TotalMilliseconds, 3));
            json.WriteStartObject("holders"u8);
            json.WriteNumber("confirmed"u8, receipt.Confirmed);
            json.WriteNumber("waitedOut"u8, receipt.Waited);
            json.WriteNumber("excluded"u8, receipt.Excluded);
            json.WriteEndObject();
        });
    }

    private static async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeAsync(
        HttpContext context, Revocations revocations, SigningKeyRevocation keys, CoreRequest request, CoreBody body, string kind)
    {
        var actor = CoreActor.Of(context);
        switch (kind)
        {
            case "sessionHandles":
                var handles = body.StringsOrNull(kind, int.MaxValue, out _) ?? throw CoreException.BadField(kind);
                return await RemoveSessions.RevokeHandlesAsync(context, revocations, request, handles, Reason(body));
            case "userId":
                var except = body.StringOrNull("exceptSessionHandle");
                var kept = except is null ? null : await SessionWire.ReadHandleAsync(context, except);
                if (except is not null && kept is null)
                {
                    throw CoreException.BadField("exceptSessionHandle");
                }

                var allTenants = ListSessions.AcrossTenants(request, body.BoolOrNull("revokeAcrossAllTenants") ?? true);
                return await revocations.RevokeUserAsync(SessionWire.User(request, SessionWire.UserId(body)), allTenants, kept, actor);
            case "allOfTenant":
                RequireTrue(body, kind);
                return await revocations.RevokeAsync(new RevocationScope.Tenant { App = request.App.App, TenantId = request.TenantId }, RevocationReason.Requested, actor);
            case "allOfApp":
                RequireTrue(body, kind);
                RequireApp(request);
                return await revocations.RevokeAsync(new RevocationScope.WholeApp { App = request.App.App }, RevocationReason.Requested, actor);
            default:
                RequireApp(request);
                return await keys.RevokeAsync(request.App, body.String(kind), actor) is { } receipt
                    ? ([], receipt)
                    : throw new CoreException(400, "Field name 'signingKey' must be the kid of one of the app's keys, as its JWKS lists them");
        }
    }

    // For log and history only.
    private static RevocationReason Reason(CoreBody body) => body.StringOrNull("reason") switch
    {
        null => RevocationReason.Requested,
        "SIGNED_OUT" => RevocationReason.SignedOut,
        "REPLACED" => RevocationReason.Replaced,
        _ => throw new CoreException(400, "Field name 'reason' must be SIGNED_OUT or REPLACED"),
    };

    // A mistake here signs every user out, so it has to be spelt out.
    private static void RequireTrue(CoreBody body, string name)
    {
        if (!body.Bool(name))
        {
            throw new CoreException(400, $"Field name '{name}' must be true");
        }
    }

    private static void RequireApp(CoreRequest request)
    {
        if (!request.IsPublicTenant)
        {
            throw CoreException.Forbidden(SessionWire.OnlyPublicTenant);
        }
    }
}
