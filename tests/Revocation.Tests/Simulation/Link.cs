using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A connection between a service and a silo. What is sent arrives in order, or it breaks; each side hears of that in its own time.</summary>
internal sealed class Link(Service service, Silo silo, HolderRow row) : IRelayedHolder
{
    private readonly World _world = service.World;
    private readonly Queue<Action> _toSilo = new();
    private readonly Queue<Action> _toService = new();
    private readonly List<Action> _failures = [];
    private TimeSpan _atSilo;
    private TimeSpan _atService;

    public bool IsOpen { get; private set; } = true;

    public Guid Incarnation => row.Incarnation;

    public long Requested { get; private set; }

    /// <summary>Called by the service.</summary>
    public Task<RegisteredHolder> OpenAsync() => CallAsync(async silo =>
        (await silo.Relay.AttachAsync(this, row, [], null, CancellationToken.None)).Holder ?? throw new SimulatedFailure("refused"));

    public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
    {
        var confirmed = new TaskCompletionSource();
        _failures.Add(() => confirmed.TrySetException(new SimulatedFailure("the connection ended")));
        if (_world.Mistake == Mistake.RelayedOutOfOrder)
        {
            _world.Scheduler.After(_world.Dice.Milliseconds(0, 4_000), service.Process, Apply);
        }
        else
        {
            ToService(Apply);
        }

        return confirmed.Task;

        void Apply()
        {
            service.Apply(this, entries);
            ToSilo(() => confirmed.TrySetResult());
        }
    }

    public void Ask(long request) => Requested = request;

    public void Renewed(long request)
    {
        Requested = Requested > request ? Requested : 0;
        ToService(() => service.Renewed(this, request));
    }

    public void Lost(HolderLoss why) => ToService(() => service.Lost(this));

    /// <summary>Called by the service: has the silo do something for it.</summary>
    public Task<T> CallAsync<T>(Func<Silo, Task<T>> call)
    {
        var done = new TaskCompletionSource<T>();
        ToSilo(() => SimProcess.Observe(AnswerAsync()));
        _world.Scheduler.After(_world.Dice.Milliseconds(2_000, 4_000), service.Process, () => done.TrySetException(new SimulatedFailure("the silo does not answer")));
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

    public void ToSilo(Action action) => Send(_toSilo, ref _atSilo, silo.Process, service.Machine.Reaches(silo.Machine), action);

    /// <summary>Both sides are told, sooner or later.</summary>
    public void Break()
    {
        if (!IsOpen)
        {
            return;
        }

        IsOpen = false;
        _world.Scheduler.After(_world.Dice.Milliseconds(0, 1_000), service.Process, () => service.Lost(this));
        _world.Scheduler.After(_world.Dice.Milliseconds(0, 5_000), silo.Process, () =>
        {
            silo.Relay.Detach(this);
            _failures.ForEach(fail => fail());
        });
    }

    private void ToService(Action action) => Send(_toService, ref _atService, service.Process, silo.Machine.Reaches(service.Machine), action);

    private void Send(Queue<Action> queue, ref TimeSpan lastArrival, SimProcess to, bool arrives, Action action)
    {
        if (!IsOpen)
        {
            return;
        }

        if (!arrives || service.Machine.IsCutFromStore || to.IsDead)
        {
            Break();
            return;
        }

        queue.Enqueue(action);
        var arrival = _world.Scheduler.Now + _world.Latency();
        lastArrival = arrival > lastArrival ? arrival : lastArrival + TimeSpan.FromTicks(1);

        // Whichever of these comes first takes what was sent first.
        _world.Scheduler.After(lastArrival - _world.Scheduler.Now, to, () =>
        {
            if (queue.TryDequeue(out var next) && IsOpen)
            {
                next();
            }
        });
    }
}
