using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A process that accepts sessions.</summary>
internal abstract class Node
{
    private readonly CancellationTokenSource _stop = new();

    protected Node(World world, Machine machine)
    {
        (World, Machine) = (world, machine);
        Process = new SimProcess(world.Scheduler, machine);
        Address = world.Settings.StableAddresses ? machine.Name : $"{machine.Name}:{world.Dice.Below(1_000_000)}";
        Holder = new Holder(machine.Clock, world.Settings.Capacity);
    }

    public World World { get; }

    public Machine Machine { get; }

    public SimProcess Process { get; }

    public string Address { get; protected set; }

    public Holder Holder { get; }

    public abstract SessionChecks Checks { get; }

    /// <summary>Whether it was let in.</summary>
    public bool HasJoined { get; private set; }

    protected CancellationToken Stopping => _stop.Token;

    public bool Serves(string app) => Machine.Serves(app);

    public void Start() => Process.Run(() => SimProcess.Observe(RunAsync()));

    public void Stop() => Process.Run(_stop.Cancel);

    /// <summary>A request arrives.</summary>
    public void Verify(SimSession session, TimeSpan? detailsWithin) => Process.Run(() => SimProcess.Observe(VerifyAsync(session, detailsWithin)));

    public void Watch(SimSession session) => Process.Run(() =>
    {
        // By a request that was let in: the session has been made.
        if (Holder.Check(session.Name, out _) == HolderVerdict.Known)
        {
            World.Watches.Add((this, session, Checks.Watch(session.Name)));
        }
    });

    public async Task<VerificationResult> VerifyAsync(SimSession session, TimeSpan? detailsWithin)
    {
        var started = World.Scheduler.Now;

        // Failures are thrown often enough elsewhere; that is what costs.
        var asked = Checks.FindAsync(session.Name, detailsWithin).AsTask();
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        var result = asked switch
        {
            { IsCompletedSuccessfully: true, Result.Liveness: Liveness.Active } => VerificationResult.Accepted,
            { IsCompletedSuccessfully: true, Result.Liveness: Liveness.Ended } => VerificationResult.Refused,
            { IsCompletedSuccessfully: true } or { Exception.InnerException: SimulatedFailure } => VerificationResult.Unavailable,
            _ => throw new InvalidOperationException("Not a failure that belongs here.", asked.Exception),
        };
        World.Verified(this, session, result, started);
        return result;
    }

    protected abstract IHolderStore Feed { get; }

    protected virtual Task AlsoAsync() => Task.CompletedTask;

    /// <summary>Whether it may begin at all.</summary>
    protected virtual Task<bool> JoinAsync() => Task.FromResult(true);

    private async Task RunAsync()
    {
        if (!await JoinAsync())
        {
            World.Refused(Machine);
            return;
        }

        HasJoined = true;
        var silence = World.Mistake == Mistake.CursorOlderThanTheLog ? TimeSpan.MaxValue : World.Settings.LongestSilence;
        var loop = new HolderLoop(Holder, Feed, Machine.Clock, World.Dice.Guid, World.Dice.Unit, longestSilence: silence);
        loop.Began += () => SimProcess.Observe(Checks.RecheckWatchedAsync());
        loop.Failed += failure =>
        {
            if (failure is not (SimulatedFailure or TimeoutException or InvalidOperationException { Message: "The holder is not registered." }))
            {
                throw new InvalidOperationException("Not a failure that belongs here.", failure);
            }
        };
        SimProcess.Observe(AlsoAsync());
        SimProcess.Observe(RecheckNowAndThenAsync());
        await loop.RunAsync(Identity, Stopping);
        World.Ended(this);
    }

    private async Task RecheckNowAndThenAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(2 * Machine.Terms.RenewEvery, Machine.Clock, Stopping);
                await Checks.RecheckWatchedAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private HolderRow Identity() => new() { Incarnation = Guid.Empty, Kind = Machine.Kind, Name = Machine.Name, Address = Address, Lease = Machine.Terms.Lease };
}
