using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A process that reaches the store: holder, revoker, reaper, and relay for services. Wired as the product wires a silo.</summary>
internal sealed class Silo : Node
{
    private readonly Reaper _reaper;
    private readonly IHolderRegistry _reaped;

    public Silo(World world, Machine machine)
        : base(world, machine)
    {
        Store = new StoreClient(world, Process);
        Relay = new HolderRelay(world.Mistake == Mistake.RenewalFromMemory ? new RememberedRenewals(Store) : Store, Store, () => Address, world.Settings.Limits);
        Checks = new SessionChecks(Holder, world.Mistake == Mistake.LookFromMemory ? new RememberedLooks(world, Store) : Store, machine.Clock);
        Registry = world.Mistake == Mistake.RegistryReadBeforeTheCommit ? new EarlyRegistry(Store) : Store;
        var counted = world.Mistake == Mistake.MarginTooSmall ? new ShorterLeases(Store, row => (row.Lease - TimeSpan.FromMilliseconds(250)) / 1.25) : Registry;
        var own = world.Mistake == Mistake.MarginTooSmall ? new LeaseTerms((machine.Terms.Lease - TimeSpan.FromMilliseconds(250)) / 1.25) : machine.Terms;
        Revoker = new Revoker(counted, new SimTransport(this), own, _ => true, machine.Clock);
        _reaper = new Reaper(machine.Clock);
        _reaped = world.Mistake == Mistake.ReaperTooEarly ? new ShorterLeases(Store, row => row.Lease / 10) : Store;
    }

    public StoreClient Store { get; }

    public IHolderRegistry Registry { get; }

    public Revoker Revoker { get; }

    public HolderRelay Relay { get; }

    public override SessionChecks Checks { get; }

    protected override IHolderStore Feed => World.Mistake == Mistake.RelayNotTold ? new SilentRegistration(Relay, Store) : Relay;

    /// <summary>What a silo does with entries that it is handed.</summary>
    public async Task<IReadOnlyCollection<Guid>> ApplyAsync(IReadOnlyList<RevocationEntry> entries)
    {
        if (World.Mistake != Mistake.ConfirmBeforeApply)
        {
            return await Relay.ApplyAsync(Holder, entries, Machine.Clock);
        }

        var incarnation = Holder.Incarnation;
        var services = Relay.PushAsync(entries, Machine.Clock);
        World.Scheduler.After(World.Dice.Milliseconds(0, 20), Process, () => Holder.Apply(entries));
        var confirmed = await services;
        return incarnation is { } own ? [own, .. confirmed] : confirmed;
    }

    protected override async Task<bool> JoinAsync()
    {
        while (true)
        {
            try
            {
                return await Store.JoinAsync();
            }
            catch (SimulatedFailure)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), Machine.Clock, CancellationToken.None);
            }
        }
    }

    protected override Task AlsoAsync()
    {
        if (World.Settings.HasPurges)
        {
            SimProcess.Observe(PurgeNowAndThenAsync());
        }

        return ReapNowAndThenAsync();
    }

    private async Task PurgeNowAndThenAsync()
    {
        while (true)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(World.Dice.Unit()), Machine.Clock, Stopping);
                await Store.PurgeAsync(World.Settings.KeepExpired, World.Settings.KeepLog);
            }
            catch (SimulatedFailure)
            {
                // Next time.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ReapNowAndThenAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(2 * Machine.Terms.RenewEvery, Machine.Clock, Stopping);
                try
                {
                    await _reaper.ReapAsync(_reaped, Stopping);
                }
                catch (SimulatedFailure)
                {
                    // Next time.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
