using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.WebFront.Core.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Revocation;

/// <summary><c>POST /session/revoke</c>: ends sessions and tells what stands behind the answer.</summary>
internal static class Revoke
{
    private static readonly string[] Kinds = ["sessionHandles", "userId", "allOfTenant", "allOfApp", "signingKey"];

    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var kinds = Kinds.Where(body.Has).ToList();
        if (kinds.Count != 1)
        {
            throw new CoreException(400, $"Invalid JSON input - use exactly one of {string.Join(", ", Kinds)}");
        }

        var (sessions, receipt) = await RevokeAsync(context, request, body, kinds[0]);
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
        HttpContext context, CoreRequest request, CoreBody body, string kind)
    {
        switch (kind)
        {
            case "sessionHandles":
                var handles = body.StringsOrNull(kind, int.MaxValue, out _) ?? throw CoreException.BadField(kind);
                return await RemoveSessions.RevokeHandlesAsync(context, request, handles, Reason(body));
            case "userId":
                var except = body.StringOrNull("exceptSessionHandle");
                SessionHandle kept = default;
                if (except is not null && !SessionWire.TryReadHandle(request, except, out kept))
                {
                    throw CoreException.BadField("exceptSessionHandle");
                }

                var allTenants = ListSessions.AcrossTenants(request, body.BoolOrNull("revokeAcrossAllTenants") ?? true);
                return await SessionWire.RevokeUserAsync(context, request, SessionWire.UserId(body), allTenants, except is null ? null : kept);
            case "allOfTenant":
                RequireTrue(body, kind);
                return await RevokeAsync(context, new RevocationScope.Tenant { App = request.App.App, TenantId = request.TenantId });
            case "allOfApp":
                RequireTrue(body, kind);
                RequireApp(request);
                return await RevokeAsync(context, new RevocationScope.WholeApp { App = request.App.App });
            default:
                RequireApp(request);
                return await SessionWire.Service(context).RevokeKeyAsync(request.App, body.String(kind), CoreActor.Of(context)) is { } receipt
                    ? ([], receipt)
                    : throw new CoreException(400, "Field name 'signingKey' must be the kid of one of the app's keys, as its JWKS lists them");
        }
    }

    private static Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeAsync(HttpContext context, RevocationScope scope) =>
        context.RequestServices.GetRequiredService<Revocations>().RevokeAsync(scope, RevocationReason.Requested, CoreActor.Of(context));

    // For log and history only.
    private static RevocationReason Reason(CoreBody body) => body.StringOrNull("reason") switch
    {
        null => RevocationReason.Requested,
        "SIGNED_OUT" => RevocationReason.SignedOut,
        "REPLACED" => RevocationReason.Replaced,
        _ => throw new CoreException(400, "Field name 'reason' must be SIGNED_OUT or REPLACED"),
    };

    // A mistake here signs everybody out: it has to be said in full.
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
