using Grid.Abstractions.Watches;
using Grid.GrainDoors;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>Watches of users, for services that are Orleans clients.</summary>
/// <remarks>Reentrant: fetches wait here for what comes.</remarks>
[StatelessWorker, Reentrant, GrainType(DoorNames.Watches)]
internal sealed class WatchDoor(DoorGate gate, ClientWatches watches) : Grain, IWatchDoor, IIncomingGrainCallFilter
{
    // Of the call that is under way, so that no client takes the places of the others of its app.
    private static readonly AsyncLocal<string?> Client = new();

    public Task Invoke(IIncomingGrainCallContext context)
    {
        Client.Value = context.SourceId?.ToString();
        return context.Invoke();
    }

    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<string>> OpenAsync(string userId, string? tenantId)
    {
        var client = Client.Value ?? "unknown";
        return gate.AnswerAsync<string>(RequestClass.None, async call =>
        {
            var tenant = tenantId is null ? null : await gate.TenantAsync(call.App, tenantId);
            return await watches.OpenAsync(new WatchedUser(call.App.App, ClientInput.UserId(userId)), tenant, client);
        });
    }

    public Task<DoorAnswer<FetchedEvents>> FetchAsync(string watch, long number, TimeSpan within) => gate.AnswerAsync<FetchedEvents>(RequestClass.None, async call => await watches.FetchAsync(call, watch, number, within));

    public Task<DoorAnswer<bool>> CloseAsync(string watch) => gate.AnswerAsync(RequestClass.None, call =>
    {
        watches.Close(call, watch);
        return Task.FromResult(true);
    });
}
