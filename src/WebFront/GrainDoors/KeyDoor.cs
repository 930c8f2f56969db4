using Grid.Abstractions.Clocks;
using Grid.Abstractions.SigningKeys;
using Grid.Client;
using Grid.GrainDoors;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>Published keys, for services that are Orleans clients.</summary>
[StatelessWorker, Reentrant, GrainType(DoorNames.Keys)]
internal sealed class KeyDoor(DoorGate gate, IKeyRings keyRings, ServiceJwts jwts, TrustedClock clock) : Grain, IKeyDoor
{
    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<PublishedKeys>> ReadAsync() => gate.AnswerAsync<PublishedKeys>(RequestClass.None, async call =>
        (await keyRings.GetAsync(call.App, CancellationToken.None)).ToPublished(clock.GetUtcNow()));

    public Task<DoorAnswer<string>> MintAsync(string payloadJson, TimeSpan validity, string? issuer, bool useStaticKey) => gate.AnswerAsync<string>(RequestClass.Create, async call =>
        await jwts.MintAsync(call.App, payloadJson, validity, issuer, useStaticKey));
}
