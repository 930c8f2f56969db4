using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>The connection between a service and its silo: in order both ways, and what is lost arrives later.</summary>
internal sealed class LagLink(LagWorld world, LagService service, LagSilo silo, HolderRow row) : IRelayedHolder
{
    private readonly Queue<Action> _toSilo = new();
    private readonly Queue<Action> _toService = new();
    private readonly List<TaskCompletionSource> _unconfirmed = [];
    private TimeSpan _atSilo;
    private TimeSpan _atService;
    private string? _cursor;

    public OwnRow Row { get; } = new(row.Incarnation, LagWorld.App, world.Dice.Guid().ToByteArray());

    public long Requested { get; private set; }

    public bool IsOpen { get; private set; } = true;

    /// <summary>Called by the service.</summary>
    public Task<RegisteredHolder> OpenAsync()
    {
        var done = new TaskCompletionSource<RegisteredHolder>();
        ToSilo(() => SimProcess.Observe(AttachAsync()));
        return done.Task;

        async Task AttachAsync()
        {
            var registered = await silo.Relay.AttachAsync(this, row, Row.SecretHash, former: null, CancellationToken.None);
            _cursor = registered.Holder!.Cursor;
            ToService(() => done.TrySetResult(registered.Holder));
        }
    }

    /// <summary>Called by the service. The first waits for nobody.</summary>
    public void Renew(long request) => ToSilo(() => Work(world.Model.Renewal, () =>
    {
        if (_cursor is { } cursor)
        {
            _cursor = null;
            SimProcess.Observe(silo.Relay.RenewFirstAsync(this, cursor, request, CancellationToken.None));
        }
        else
        {
            Requested = request;
        }
    }));

    public void AnswerRenewal(long request)
    {
        Requested = Requested > request ? Requested : 0;
        ToService(() => service.Renewed(request));
    }

    // Half of the cost is that of sending, half that of what comes back.
    public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
    {
        var confirmed = new TaskCompletionSource();
        _unconfirmed.Add(confirmed);
        Work(world.Model.Push / 2, () => ToService(() =>
        {
            service.Holder.Apply(entries);
            ToSilo(() => Work(world.Model.Push / 2, () =>
            {
                _unconfirmed.Remove(confirmed);
                confirmed.TrySetResult();
            }));
        }));
        return confirmed.Task;
    }

    public void DeclareLost(HolderLoss why)
    {
        world.Lost++;
        ToService(() =>
        {
            service.Holder.Forget();
            IsOpen = false;
        });
    }

    /// <summary>The service's end is gone; the silo's operating system is told.</summary>
    public void Break()
    {
        IsOpen = false;
        world.Scheduler.After(world.Latency(service.IsFar), silo.Process, () =>
        {
            silo.Relay.Detach(this);
            _unconfirmed.ToList().ForEach(confirmed => confirmed.TrySetException(new IOException("The connection of the service is over.")));
        });
    }

    private void Work(double microseconds, Action then) => world.Scheduler.After(silo.Cores.Take(LagModel.Microseconds(microseconds)), silo.Process, then);

    private void ToSilo(Action action) => Send(_toSilo, ref _atSilo, silo.Process, action);

    private void ToService(Action action) => Send(_toService, ref _atService, service.Process, action);

    private void Send(Queue<Action> queue, ref TimeSpan lastArrival, SimProcess to, Action action)
    {
        queue.Enqueue(action);
        var arrival = world.Scheduler.Now + world.Latency(service.IsFar);
        lastArrival = arrival > lastArrival ? arrival : lastArrival + TimeSpan.FromTicks(1);

        // Whichever of these comes first takes what was sent first.
        world.Scheduler.After(lastArrival - world.Scheduler.Now, to, () => queue.Dequeue()());
    }
}
