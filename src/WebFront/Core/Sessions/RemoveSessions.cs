using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session/remove</c>. Source: <c>docs/protocol/core.md</c>, "Read, update, list, remove".</summary>
internal static class RemoveSessions
{
    public static async Task HandleAsync(HttpContext context, Revocations revocations)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var userId = body.StringOrNull("userId");
        var handles = body.StringsOrNull("sessionHandles", int.MaxValue, out _);
        if (userId is null == handles is null)
        {
            throw new CoreException(400, "Invalid JSON input - use one of userId or sessionHandles array");
        }

        var allTenants = body.SwitchOrNull("revokeAcrossAllTenants");
        var linked = body.SwitchOrNull("revokeSessionsForLinkedAccounts");
        if (userId is null && (allTenants ?? linked) is not null)
        {
            throw new CoreException(400, $"Invalid JSON input - {(allTenants is null ? "revokeSessionsForLinkedAccounts" : "revokeAcrossAllTenants")} can only be set if userId is set");
        }

        var revoked = userId is not null
            ? (await revocations.RevokeUserAsync(
                SessionWire.User(request, SessionWire.UserId(body)), ListSessions.AcrossTenants(request, allTenants ?? true), except: null, CoreActor.Of(context))).Sessions
            : (await RevokeHandlesAsync(context, revocations, request, handles!, RevocationReason.Requested)).Sessions;
        await CoreResponse.WriteAsync(context, "OK", revoked, static (json, ended) => SessionWire.WriteHandles(json, "sessionHandlesRevoked", ended));
    }

    /// <summary>Revokes the named sessions; they are refused everywhere when this returns.</summary>
    public static async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeHandlesAsync(
        HttpContext context, Revocations revocations, CoreRequest request, string[] texts, RevocationReason reason)
    {
        var handles = ImmutableArray.CreateBuilder<SessionHandle>(texts.Length);
        foreach (var text in texts)
        {
            if (SessionWire.TryReadHandle(request, text, out var handle))
            {
                handles.Add(handle);
            }
        }

        if (handles.Count == 0)
        {
            return ([], RevocationReceipt.None);
        }

        return await revocations.RevokeAsync(
            new RevocationScope.Named { App = request.App.App, Sessions = handles.ToImmutable() }, reason, CoreActor.Of(context));
    }
}
