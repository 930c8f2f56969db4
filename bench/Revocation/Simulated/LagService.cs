using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>A service that checks tokens itself: the product's own holder, kept fresh through a silo.</summary>
internal sealed class LagService : IHolderStore
{
    // As the client package has it.
    private const int Patience = 4;

    private readonly LagWorld _world;
    private readonly List<(long Request, TaskCompletionSource<RenewedHolder> Done)> _asked = [];
    private LagLink? _link;
    private long _requests;

    public LagService(LagWorld world, int number, bool isFar)
    {
        (_world, IsFar) = (world, isFar);
        Machine = new Machine(HolderKind.Service, number, world.NewClock(), LeaseTerms.Standard) { App = LagWorld.App };
        Process = new SimProcess(world.Scheduler, Machine);
        Holder = new Holder(Machine.Clock, capacity: 1);
    }

    public bool IsFar { get; }

    public Machine Machine { get; }

    public SimProcess Process { get; }

    public Holder Holder { get; }

    public LagLink? Link => _link;

    public void Start() => Process.Run(() =>
    {
        var loop = new HolderLoop(Holder, this, Machine.Clock, _world.Dice.Guid, _world.Dice.Unit, Patience, TimeSpan.FromSeconds(0.4));
        SimProcess.Observe(loop.RunAsync(Identity, CancellationToken.None));
    });

    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        var silo = _world.Dice.Pick(_world.Silos);
        _link = new LagLink(_world, this, silo, row with { App = LagWorld.App, Address = silo.Address });
        return _link.OpenAsync();
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        if (_link is not { IsOpen: true } link || link.Row.Incarnation != renewal.Incarnation)
        {
            return Task.FromResult(new RenewedHolder("", [], [renewal.Incarnation!.Value]));
        }

        var done = new TaskCompletionSource<RenewedHolder>();
        _asked.Add((++_requests, done));
        link.Renew(_requests);
        return done.Task;
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => Task.CompletedTask;

    public void Renewed(long request)
    {
        var answered = _asked.Where(asked => asked.Request <= request).ToList();
        _asked.RemoveAll(asked => asked.Request <= request);
        answered.ForEach(asked => asked.Done.TrySetResult(new RenewedHolder("", [], [])));
    }

    private HolderRow Identity() => new() { Incarnation = Guid.Empty, Kind = HolderKind.Service, Name = Machine.Name, Address = "", Lease = LeaseTerms.Standard.Lease };
}
