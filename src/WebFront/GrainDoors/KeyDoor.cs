using Grid.Abstractions.Clocks;
using Grid.Abstractions.SigningKeys;
using Grid.Client;
using Grid.GrainDoors;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>Published keys, for services that are Orleans clients.</summary>
[StatelessWorker, Reentrant, GrainType(DoorNames.Keys)]
internal sealed class KeyDoor(DoorGate gate, IKeyRings keyRings, TrustedClock clock) : Grain, IKeyDoor
{
    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<PublishedKeys>> ReadAsync() => gate.AnswerAsync<PublishedKeys>(async call =>
    {
        var ring = await keyRings.GetAsync(call.App, CancellationToken.None);
        var now = clock.GetUtcNow();
        var left = ring.NextChangeAt - now;
        return new PublishedKeys(ring.JwksJson(now), left > TimeSpan.Zero ? left : TimeSpan.Zero);
    });
}
