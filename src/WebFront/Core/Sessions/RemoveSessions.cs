using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.WebFront.Sessions;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

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
            ? await RevokeUserAsync(context, revocations, SessionWire.UserId(body), ListSessions.AcrossTenants(request, allTenants ?? true), linked ?? true)
            : (await RevokeHandlesAsync(context, revocations, request, handles!, RevocationReason.Requested)).Sessions;
        await CoreResponse.WriteAsync(context, "OK", revoked, static (json, ended) => SessionWire.WriteHandles(json, "sessionHandlesRevoked", ended));
    }

    // The named user's first: those have ended even if the core behind Grid does not say who else that user is.
    private static async Task<ImmutableArray<SessionHandle>> RevokeUserAsync(HttpContext context, Revocations revocations, string userId, bool allTenants, bool linked)
    {
        var request = CoreRequest.Of(context);
        var (user, actor) = (SessionWire.User(request, userId), CoreActor.Of(context));
        if (context.RequestServices.GetService<AccountSessions>() is not { } accounts)
        {
            return (await revocations.RevokeUserAsync(user, allTenants, except: null, actor)).Sessions;
        }

        if (!linked)
        {
            return await accounts.RevokeAsync(user, allTenants, actor);
        }

        var sessions = await accounts.RevokeAllAsync(user, allTenants, actor);
        foreach (var other in await context.RequestServices.GetRequiredService<LinkedAccounts>().OthersAsync(request.App.App, userId))
        {
            sessions = sessions.AddRange((await revocations.RevokeUserAsync(SessionWire.User(request, other), allTenants, except: null, actor)).Sessions);
        }

        return sessions;
    }

    /// <summary>Revokes the named sessions; they are refused everywhere when this returns.</summary>
    public static async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeHandlesAsync(
        HttpContext context, Revocations revocations, CoreRequest request, string[] texts, RevocationReason reason)
    {
        var handles = ImmutableArray.CreateBuilder<SessionHandle>(texts.Length);
        foreach (var text in texts)
        {
            if (await SessionWire.ReadHandleAsync(context, text) is { } handle)
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
