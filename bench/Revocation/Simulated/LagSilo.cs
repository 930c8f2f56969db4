using Grid.Revocation;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>A silo: the product's own holder, revoker, reaper and relay, wired as the product wires them.</summary>
internal sealed class LagSilo : IHolderTransport
{
    private readonly LagWorld _world;
    private readonly Machine _machine;
    private readonly LagStore _store;
    private readonly Holder _holder;
    private readonly Revoker _revoker;

    public LagSilo(LagWorld world, int number)
    {
        _world = world;
        _machine = new Machine(HolderKind.Silo, number, world.NewClock(), LeaseTerms.Standard);
        Process = new SimProcess(world.Scheduler, _machine);
        Cores = new Cores(world.Scheduler, world.Model.Cores);
        _store = new LagStore(world, Process, Cores);
        _holder = new Holder(_machine.Clock, capacity: 1);
        Relay = new HolderRelay(_store, _store, () => Address, new RelayLimits());
        _revoker = new Revoker(_store, this, LeaseTerms.Standard, _ => true, _machine.Clock);
    }

    public string Address => _machine.Name;

    public SimProcess Process { get; }

    public Cores Cores { get; }

    public HolderRelay Relay { get; }

    public TimeProvider Clock => _machine.Clock;

    public void Start() => Process.Run(() =>
    {
        var loop = new HolderLoop(_holder, Relay, _machine.Clock, _world.Dice.Guid, _world.Dice.Unit);
        SimProcess.Observe(loop.RunAsync(Identity, CancellationToken.None));
        SimProcess.Observe(ReapAsync());
    });

    /// <summary>Revokes a user's sessions and waits for everybody.</summary>
    public void Revoke(Scope scope, Action<RevocationReceipt> acknowledged) => Process.Run(() => SimProcess.Observe(RevokeAsync(scope, acknowledged)));

    public async Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
    {
        if (address == Address)
        {
            return await Relay.ApplyAsync(_holder, entries, Clock);
        }

        var silo = _world.Silos.First(other => other.Address == address);
        var done = new TaskCompletionSource<IReadOnlyCollection<Guid>>();
        _world.Scheduler.After(_world.Latency(), silo.Process, () => SimProcess.Observe(silo.AnswerAsync(this, entries, done)));
        return await done.Task;
    }

    private async Task AnswerAsync(LagSilo asking, IReadOnlyList<RevocationEntry> entries, TaskCompletionSource<IReadOnlyCollection<Guid>> done)
    {
        var confirmed = await Relay.ApplyAsync(_holder, entries, Clock);
        _world.Scheduler.After(_world.Latency(), asking.Process, () => done.SetResult(confirmed));
    }

    private async Task RevokeAsync(Scope scope, Action<RevocationReceipt> acknowledged)
    {
        var entries = await _store.RevokeAsync(scope);
        acknowledged(await _revoker.ConfirmAsync(entries, Clock.GetTimestamp(), CancellationToken.None));
    }

    private async Task ReapAsync()
    {
        var reaper = new Reaper(Clock);
        while (true)
        {
            await Task.Delay(2 * LeaseTerms.Standard.RenewEvery, Clock);
            await reaper.ReapAsync(_store, CancellationToken.None);
        }
    }

    private HolderRow Identity() => new() { Incarnation = Guid.Empty, Kind = HolderKind.Silo, Name = Address, Address = Address, Lease = LeaseTerms.Standard.Lease };
}
