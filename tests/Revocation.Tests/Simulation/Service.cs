using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A process that reaches the store through a silo, any of them. An incarnation lives on one connection.</summary>
internal sealed class Service : Node, IHolderStore, ISessionLook, ILinkEnd
{
    private readonly List<(long Request, TaskCompletionSource<RenewedHolder> Done)> _asked = [];
    // An Orleans client.
    private readonly bool _isOverOrleans;

    private Link? _link;
    private OwnRow? _former;
    private long _requests;
    private bool _isWedged;

    public Service(World world, Machine machine)
        : base(world, machine)
    {
        Checks = new SessionChecks(Holder, this, machine.Clock);
        _isOverOrleans = world.Settings.HasTunnels && world.Dice.Chance(0.7);
    }

    public override SessionChecks Checks { get; }

    /// <summary>The connection that it lives on.</summary>
    public Link? Link => _link;

    protected override IHolderStore Feed => this;

    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        if (Silo() is not { } silo)
        {
            // Thrown away, and asked again and again.
            _isWedged = World.Mistake == Mistake.ServiceNeverReconnects && _link is not null;
            throw new SimulatedFailure("no silo");
        }

        Address = silo.Address;
        _link?.Break();
        var link = _link = new Link(World, this, silo, row with { Address = silo.Address }, _former);
        _ = _isOverOrleans ? link.OverOrleans() : link;
        var registered = await link.OpenAsync();

        // Proves that this row is its own, once it is over.
        _former = link.Row;
        return registered;
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        if (_link is not { IsOpen: true } link || link.Incarnation != renewal.Incarnation)
        {
            // What is known is vouched for until the lease runs out; only when there is somebody to register with again is it given up.
            return Silo() is null
                ? Task.FromException<RenewedHolder>(new SimulatedFailure("no silo"))
                : Task.FromResult(new RenewedHolder("", [], [renewal.Incarnation!.Value]));
        }

        var done = new TaskCompletionSource<RenewedHolder>();
        var request = ++_requests;
        World.Note($"{Machine.Name}: renewal {request} of {link.Incarnation.ToString()[..4]}");
        _asked.Add((request, done));
        link.Renew(request);
        return done.Task;
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken)
    {
        _link?.Leave();
        return Task.CompletedTask;
    }

    public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) => _link is { IsOpen: true } link
        ? new ValueTask<FoundSession?>(link.CallAsync(silo => silo.Store.LookAsync(name, CancellationToken.None).AsTask()))
        : ValueTask.FromException<FoundSession?>(new SimulatedFailure("not connected"));

    public bool Apply(Link link, IReadOnlyList<RevocationEntry> entries)
    {
        if (link != _link)
        {
            return false;
        }

        Holder.Apply(entries);
        return true;
    }

    public void Renewed(Link link, long request)
    {
        World.Note($"{Machine.Name}: renewal {request} of {link.Incarnation.ToString()[..4]} is answered");
        if (link == _link)
        {
            Answer(request, done => done.TrySetResult(new RenewedHolder("", [], [])));
        }
    }

    public void Lost(Link link)
    {
        if (link == _link)
        {
            Holder.Forget();
            Broken(link);
        }
    }

    public void Broken(Link link)
    {
        if (link == _link)
        {
            Answer(long.MaxValue, done => done.TrySetException(new SimulatedFailure("the connection ended")));
        }
    }

    private Silo? Silo() => Machine.IsCutFromStore || _isWedged ? null : World.AnySilo(Machine.Cluster);

    private void Answer(long upTo, Action<TaskCompletionSource<RenewedHolder>> answer)
    {
        var answered = _asked.Where(asked => asked.Request <= upTo).ToList();
        _asked.RemoveAll(asked => asked.Request <= upTo);
        answered.ForEach(asked => answer(asked.Done));
    }
}
