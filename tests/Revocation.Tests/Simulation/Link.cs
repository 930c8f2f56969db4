using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>The far end of a connection to a silo: a service, or somebody who pretends to be one.</summary>
internal interface ILinkEnd
{
    Machine Machine { get; }

    SimProcess Process { get; }

    /// <summary>Entries of its app have come.</summary>
    /// <returns>Whether it says that it has applied them.</returns>
    bool Apply(Link link, IReadOnlyList<RevocationEntry> entries);

    void Renewed(Link link, long request);

    /// <summary>The silo said that its incarnation is over.</summary>
    void Lost(Link link);

    /// <summary>The connection is gone.</summary>
    void Broken(Link link);
}

/// <summary>A connection between a service and a silo. What is sent arrives in order, or it breaks; each side hears of that in its own time.</summary>
/// <param name="world">Where.</param>
/// <param name="end">Who opened it.</param>
/// <param name="silo">With whom.</param>
/// <param name="row">To be registered.</param>
/// <param name="former">What it says that it was before.</param>
internal sealed class Link(World world, ILinkEnd end, Silo silo, HolderRow row, OwnRow? former) : IRelayedHolder
{
    private readonly Queue<Action> _toSilo = new();
    private readonly Queue<Action> _toService = new();
    private readonly List<Action> _failures = [];
    private readonly TimeSpan _slowness = world.Dice.Chance(world.Settings.SlowLinks) ? world.Dice.Milliseconds(50, 900) : TimeSpan.Zero;
    private TimeSpan _atSilo;
    private TimeSpan _atService;
    private TimeSpan _askedAt = world.Scheduler.Now;
    private string? _cursor;
    private bool _wasRenewed;
    private bool _isOverAtSilo;
    private Tunnel? _tunnel;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Nothing arrives any more, and neither side knows.</summary>
    public bool IsHalfOpen { get; private set; }

    public Guid Incarnation => row.Incarnation;

    /// <summary>What proves that the row is its own, once it is registered.</summary>
    public OwnRow Row { get; } = new(row.Incarnation, end.Machine.App!, world.Dice.Guid().ToByteArray());

    public long Requested { get; private set; }

    /// <summary>From its beginning: its messages are calls of an Orleans client.</summary>
    public Link OverOrleans()
    {
        _tunnel = new Tunnel(world, this, end, silo);
        return this;
    }

    /// <summary>Called by the service.</summary>
    public Task<RegisteredHolder> OpenAsync() => CallAsync(async silo =>
    {
        SimProcess.Observe(WatchAsync());
        var registered = await silo.Relay.AttachAsync(this, row with { App = end.Machine.App }, Row.SecretHash, former, CancellationToken.None);
        if (registered.Holder is not { } holder)
        {
            throw new SimulatedFailure($"refused: {registered.Refusal}");
        }

        _cursor = holder.Cursor;
        return holder;
    });

    public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
    {
        if (entries.Any(entry => entry.App != end.Machine.App))
        {
            throw new InvalidOperationException("A service is told of another app.");
        }

        var confirmed = new TaskCompletionSource();
        _failures.Add(() => confirmed.TrySetException(new SimulatedFailure("the connection ended")));
        if (world.Mistake == Mistake.SilenceTakenForABreak)
        {
            world.Scheduler.After(TimeSpan.FromMilliseconds(500), silo.Process, () => confirmed.TrySetException(new SimulatedFailure("no confirmation")));
        }

        if (world.Mistake == Mistake.RelayedOutOfOrder)
        {
            world.Scheduler.After(world.Dice.Milliseconds(0, 4_000), end.Process, Apply);
        }
        else
        {
            ToService(Apply);
        }

        return confirmed.Task;

        void Apply()
        {
            if (end.Apply(this, entries))
            {
                ToSilo(() => confirmed.TrySetResult());
            }
        }
    }

    /// <summary>Called by the service: a renewal. The first waits for nobody.</summary>
    public void Renew(long request) => ToSilo(() =>
    {
        _askedAt = world.Scheduler.Now;
        if (_cursor is { } cursor)
        {
            _cursor = null;
            SimProcess.Observe(RenewFirstAsync(cursor, request));
        }
        else
        {
            Requested = request;
        }
    });

    public void AnswerRenewal(long request)
    {
        _wasRenewed = true;
        Requested = Requested > request ? Requested : 0;
        ToService(() => end.Renewed(this, request));
    }

    // It is told, after all that was sent before, and then the connection ends.
    public void DeclareLost(HolderLoss why) => ToService(() =>
    {
        world.Note($"{end.Machine.Name}: {Incarnation.ToString()[..4]} is over: {why}");
        end.Lost(this);
        Break();
    });

    /// <summary>Called by the service, last.</summary>
    public void Leave() => ToSilo(() => SimProcess.Observe(LeaveAsync()));

    /// <summary>Called by the service: has the silo do something for it.</summary>
    public Task<T> CallAsync<T>(Func<Silo, Task<T>> call)
    {
        var done = new TaskCompletionSource<T>();
        ToSilo(() => SimProcess.Observe(AnswerAsync()));
        world.Scheduler.After(world.Dice.Milliseconds(2_000, 4_000), end.Process, () => done.TrySetException(new SimulatedFailure("the silo does not answer")));
        return done.Task;

        async Task AnswerAsync()
        {
            try
            {
                var answer = await call(silo);
                ToService(() => done.TrySetResult(answer));
            }
            catch (SimulatedFailure failure)
            {
                ToService(() => done.TrySetException(failure));
            }
        }
    }

    /// <summary>Nothing arrives any more, and neither side knows; until one of them misses the other.</summary>
    public void FallSilent(TimeSpan noticed)
    {
        IsHalfOpen = true;
        world.Scheduler.After(noticed, Break);
    }

    /// <summary>Both sides are told, sooner or later.</summary>
    public void Break()
    {
        if (!IsOpen)
        {
            return;
        }

        IsOpen = false;
        world.Scheduler.After(world.Dice.Milliseconds(0, 1_000), end.Process, () => end.Broken(this));
        world.Scheduler.After(world.Dice.Milliseconds(0, 5_000), silo.Process, () => SimProcess.Observe(CloseAsync()));
    }

    /// <summary>The silo's end is over; the service has not heard of it.</summary>
    public void EndAtSilo() => SimProcess.Observe(CloseAsync());

    private async Task CloseAsync()
    {
        if (_isOverAtSilo)
        {
            return;
        }

        _isOverAtSilo = true;
        _tunnel?.Close();
        silo.Relay.Detach(this);
        _failures.ForEach(fail => fail());

        // Never told that it is fresh, it vouches for nothing.
        if (!_wasRenewed)
        {
            await LeaveAsync();
        }
    }

    private async Task LeaveAsync()
    {
        try
        {
            await silo.Relay.LeaveAsync(this, Row, CancellationToken.None);
        }
        catch (SimulatedFailure)
        {
            // The reaper will find it.
        }
    }

    private async Task RenewFirstAsync(string cursor, long request)
    {
        try
        {
            await silo.Relay.RenewFirstAsync(this, cursor, request, CancellationToken.None);
        }
        catch (SimulatedFailure)
        {
            Break();
        }
    }

    // Whoever does not renew has no row any more.
    private async Task WatchAsync()
    {
        while (IsOpen)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), silo.Machine.Clock);
            if (world.Scheduler.Now - _askedAt > 1.5 * new LeaseTerms(row.Lease).Wait)
            {
                DeclareLost(HolderLoss.NotRegistered);
                return;
            }
        }
    }

    private void ToSilo(Action action)
    {
        if (_tunnel is { } tunnel)
        {
            tunnel.ToSilo(action);
        }
        else
        {
            Send(_toSilo, ref _atSilo, silo.Process, end.Machine.Reaches(silo.Machine), action);
        }
    }

    private void ToService(Action action)
    {
        if (_tunnel is { } tunnel)
        {
            tunnel.ToService(action);
        }
        else
        {
            Send(_toService, ref _atService, end.Process, silo.Machine.Reaches(end.Machine), action);
        }
    }

    private void Send(Queue<Action> queue, ref TimeSpan lastArrival, SimProcess to, bool arrives, Action action)
    {
        if (!IsOpen || IsHalfOpen)
        {
            return;
        }

        if (!arrives || end.Machine.IsCutFromStore || to.IsDead)
        {
            Break();
            return;
        }

        queue.Enqueue(action);
        var arrival = world.Scheduler.Now + world.Latency() + (world.Settings.SlowLinks > 0 ? _slowness : TimeSpan.Zero);
        lastArrival = arrival > lastArrival ? arrival : lastArrival + TimeSpan.FromTicks(1);

        // Whichever of these comes first takes what was sent first.
        world.Scheduler.After(lastArrival - world.Scheduler.Now, to, () =>
        {
            if (queue.TryDequeue(out var next) && IsOpen)
            {
                next();
            }
        });
    }
}
