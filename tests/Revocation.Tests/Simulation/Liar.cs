using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Ways in which the holder of an app's key does what no service of ours does.</summary>
internal enum Lie
{
    /// <summary>Renews for ever and confirms nothing.</summary>
    NeverConfirms,

    /// <summary>Registers, drops the connection, registers again.</summary>
    ComesAndGoes,

    /// <summary>Says that it was somebody else before, or is somebody else now, and confirms whatever it hears in that name.</summary>
    IsSomebodyElse,
}

/// <summary>Somebody with an app's key who is no holder. Nothing goes wrong with him; he goes on when all is healed.</summary>
internal sealed class Liar(World world, Machine machine, Lie lie) : ILinkEnd
{
    private readonly List<Guid> _heardOf = [];
    private long _requests;
    private bool _isOver;

    public Machine Machine => machine;

    public Lie Lie => lie;

    public SimProcess Process { get; } = new(world.Scheduler, machine);

    public void Start() => Process.Run(() => SimProcess.Observe(RunAsync()));

    public bool Apply(Link link, IReadOnlyList<RevocationEntry> entries) => lie == Lie.IsSomebodyElse;

    public void Renewed(Link link, long request)
    {
    }

    public void Lost(Link link) => _isOver = true;

    public void Broken(Link link) => _isOver = true;

    private async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(world.Dice.Milliseconds(100, 1_500), machine.Clock);
            if (world.AnySilo(0) is { } silo)
            {
                await PretendAsync(silo);
            }

            // He was found out; another incarnation would be judged anew.
            if (lie == Lie.NeverConfirms && _isOver && world.Scheduler.Now > world.Settings.Duration)
            {
                return;
            }
        }
    }

    private async Task PretendAsync(Silo silo)
    {
        // Incarnations stand in logs.
        _heardOf.AddRange(world.Store.List(0, null).Where(row => row.App != machine.App).Select(row => row.Incarnation).Where(id => !_heardOf.Contains(id)));
        var other = _heardOf.Count == 0 ? world.Dice.Guid() : world.Dice.Pick(_heardOf);
        var isThat = lie == Lie.IsSomebodyElse && world.Dice.Chance(0.5);
        var former = lie == Lie.IsSomebodyElse && !isThat ? new OwnRow(other, machine.App!, world.Dice.Guid().ToByteArray()) : null;
        var row = new HolderRow
        {
            Incarnation = isThat ? other : world.Dice.Guid(),
            Kind = HolderKind.Service,
            Name = machine.Name,
            Address = silo.Address,
            Lease = world.Settings.LongTerms.Lease,
        };
        _isOver = false;
        var link = new Link(world, this, silo, row, former);
        try
        {
            await link.OpenAsync();
        }
        catch (SimulatedFailure)
        {
            link.Break();
            return;
        }

        do
        {
            link.Renew(++_requests);
            await Task.Delay(TimeSpan.FromMilliseconds(500), machine.Clock);
        }
        while (!_isOver && lie == Lie.NeverConfirms);
        link.Break();
    }
}
