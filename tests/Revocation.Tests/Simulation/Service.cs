using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A process that reaches the store through a silo. A broken connection ends its incarnation.</summary>
internal sealed class Service : Node, IHolderStore, ISessionLook
{
    private Link? _link;
    private long _requests;
    private readonly List<(long Request, TaskCompletionSource<RenewedHolder> Done)> _asked = [];

    public Service(World world, Machine machine)
        : base(world, machine) => Checks = new SessionChecks(Holder, this, machine.Clock);

    public override SessionChecks Checks { get; }

    protected override IHolderStore Feed => this;

    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        if (World.AnySilo() is not { } silo || Machine.IsCutFromStore)
        {
            throw new SimulatedFailure("no silo");
        }

        Address = silo.Address;
        _link?.Break();
        _link = new Link(this, silo, row with { Address = silo.Address });
        return await _link.OpenAsync();
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<RenewedHolder>();
        if (_link is not { IsOpen: true } link || link.Incarnation != renewal.Incarnation)
        {
            // Perhaps it ended before it had begun.
            Holder.Forget();
            done.SetException(new SimulatedFailure("not connected"));
            return done.Task;
        }

        var request = ++_requests;
        World.Note($"{Machine.Name}: renewal {request} of {link.Incarnation.ToString()[..4]}");
        _asked.Add((request, done));
        link.ToSilo(() => link.Ask(request));
        return done.Task;
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => _link is { IsOpen: true } link
        ? link.CallAsync(async silo =>
        {
            await silo.Store.LeaveAsync(incarnation, CancellationToken.None);
            return true;
        })
        : Task.FromException(new SimulatedFailure("not connected"));

    public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) => _link is { IsOpen: true } link
        ? new ValueTask<FoundSession?>(link.CallAsync(silo => silo.Store.LookAsync(name, CancellationToken.None).AsTask()))
        : ValueTask.FromException<FoundSession?>(new SimulatedFailure("not connected"));

    public void Apply(Link link, IReadOnlyList<RevocationEntry> entries)
    {
        if (link == _link)
        {
            Holder.Apply(entries);
        }
    }

    public void Renewed(Link link, long request)
    {
        World.Note($"{Machine.Name}: renewal {request} of {link.Incarnation.ToString()[..4]} is answered");
        if (link == _link)
        {
            Answer(request, done => done.TrySetResult(new RenewedHolder("", [], [])));
        }
    }

    /// <summary>The connection ended, or the registry has lost the row.</summary>
    public void Lost(Link link)
    {
        if (link == _link)
        {
            World.Note($"{Machine.Name}: {link.Incarnation.ToString()[..4]} is over");
            _link = null;
            Holder.Forget();
            Answer(long.MaxValue, done => done.TrySetException(new SimulatedFailure("the connection ended")));
        }
    }

    private void Answer(long upTo, Action<TaskCompletionSource<RenewedHolder>> answer)
    {
        var answered = _asked.Where(asked => asked.Request <= upTo).ToList();
        _asked.RemoveAll(asked => asked.Request <= upTo);
        answered.ForEach(asked => answer(asked.Done));
    }
}
