using Grid.GrainDoors;
using Grid.GrainDoors.Tunnels;
using Grid.WebFront.Admission;
using Grid.WebFront.Core.Revocation;
using Grid.WebFront.Sessions;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>Connections of services that check tokens, for those that are Orleans clients.</summary>
/// <remarks>Reentrant: fetches wait here for what comes.</remarks>
[StatelessWorker, Reentrant, GrainType(DoorNames.Holders)]
internal sealed class HolderDoor(DoorGate gate, Tunnels tunnels) : Grain, IHolderDoor
{
    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<string>> OpenAsync() => gate.AnswerAsync(RequestClass.None, call =>
    {
        var (id, refusal) = tunnels.Open(call);
        return Task.FromResult(id ?? throw new SessionRefusedException(refusal ?? "No connection is opened"))!;
    });

    public Task<DoorAnswer<bool>> SendAsync(string connection, long number, byte[] message) => gate.AnswerAsync(RequestClass.None, async call =>
        message is { Length: > 0 and <= ServiceMessages.MaxBytes } && await Of(call, connection).TakeAsync(number, message) ? true : throw IsOver());

    public Task<DoorAnswer<ReceivedMessages>> ReceiveAsync(string connection, long number) => gate.AnswerAsync<ReceivedMessages>(RequestClass.None, async call =>
        await Of(call, connection).FetchAsync(number) ?? throw IsOver());

    public Task<DoorAnswer<bool>> CloseAsync(string connection) => gate.AnswerAsync(RequestClass.None, call =>
    {
        Of(call, connection).EndOfInput();
        return Task.FromResult(true);
    });

    private Tunnel Of(DoorCall call, string connection) => tunnels.Find(call, connection) ?? throw IsOver();

    private static SessionRefusedException IsOver() => new("This connection is over, or has its end in another silo");
}
