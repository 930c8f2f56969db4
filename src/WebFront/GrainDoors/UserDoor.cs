using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.GrainDoors;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>A user's sessions, for services that are Orleans clients.</summary>
/// <remarks>Reentrant: a revocation waits here for its confirmation, and others go on meanwhile.</remarks>
[StatelessWorker, Reentrant, GrainType(DoorNames.Users)]
internal sealed class UserDoor(DoorGate gate, StoredSessions stored, Revocations revocations) : Grain, IUserDoor
{
    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<string[]>> ListAsync(string userId, string? tenantId) => gate.AnswerAsync<string[]>(RequestClass.List, async call =>
    {
        var (user, allTenants) = await UserAsync(call, userId, tenantId);
        return (await stored.ListAsync(user, allTenants)).ToTexts();
    });

    public Task<DoorAnswer<GridRevocation>> RevokeAsync(string userId, string? tenantId, string? exceptHandle) => gate.AnswerAsync<GridRevocation>(RequestClass.Revoke, async call =>
    {
        var (user, allTenants) = await UserAsync(call, userId, tenantId);
        SessionHandle kept = default;
        if (exceptHandle is not null && !DoorInput.TryReadHandle(call.App, exceptHandle, out kept))
        {
            // Taken for "none" it would end the session that was to live on.
            throw new SessionRefusedException("The excepted session's handle is none");
        }

        return (await revocations.RevokeUserAsync(user, allTenants, exceptHandle is null ? null : kept, call.Actor)).ToRevocation();
    });

    private async ValueTask<(UserKey User, bool AllTenants)> UserAsync(DoorCall call, string userId, string? tenantId) =>
        (new UserKey(new TenantKey(call.App.App, tenantId is null ? TenantKey.PublicId : await gate.TenantAsync(call.App, tenantId)), ClientInput.UserId(userId)), tenantId is null);
}
