using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A few machines around a store, and what clients saw of them.</summary>
internal sealed class World
{
    // Longer than any pause but those that are made for the purge.
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(7);

    private readonly List<Machine> _machines = [];

    public World(ulong seed, Mistake mistake, bool isVerbose)
    {
        Mistake = mistake;
        Scheduler = new Scheduler(seed, isVerbose);
        Settings = new Settings(Dice, mistake) { HasTunnels = Settings.ChooseTunnels(seed, mistake), HasRows = Settings.ChooseRows(seed, mistake) };
        Store = new SimStore(mistake);
        for (var i = 0; i < Settings.Silos; i++)
        {
            Add(HolderKind.Silo, i, i == 0 && Settings.HasLongLease ? Settings.LongTerms : Settings.Terms);
        }

        for (var i = 0; i < Settings.Services; i++)
        {
            Add(HolderKind.Service, i, Settings.LongTerms);
        }

        Liars = [.. Settings.Lies.Select((lie, i) => new Liar(this, new Machine(HolderKind.Service, 100 + i, Clock(), Settings.LongTerms) { App = Clients.Apps[1] }, lie))];
        foreach (var liar in Liars)
        {
            liar.Start();
        }

        if (Settings.HasOtherCluster)
        {
            Add(HolderKind.Silo, Settings.Silos, Settings.Terms, cluster: 1);
        }
    }

    /// <summary>They have keys of the second app, or of one that nobody else uses.</summary>
    public IReadOnlyList<Liar> Liars { get; }

    public Mistake Mistake { get; }

    public Scheduler Scheduler { get; }

    public Dice Dice => Scheduler.Dice;

    public Settings Settings { get; }

    public SimStore Store { get; }

    public SessionHistory History { get; } = new();

    public IReadOnlyList<Machine> Machines => _machines;

    /// <summary>Real time, as the store's clock tells it.</summary>
    public DateTimeOffset Wall => SimClock.Start + Scheduler.Now;

    /// <summary>Those that serve.</summary>
    public IEnumerable<Node> Nodes => _machines.Where(machine => machine.Node is { HasJoined: true }).Select(machine => machine.Node!);

    /// <summary>All but those that are refused.</summary>
    public IEnumerable<Machine> Members => _machines.Where(machine => machine.Cluster == 0 || Mistake == Mistake.ClustersShareAStore);

    public List<(Node Node, SimSession Session, SessionWatch Watch)> Watches { get; } = [];

    public TimeSpan Latency() => Dice.Chance(Settings.Slow)
        ? Dice.Chance(0.9) ? Dice.Milliseconds(3, 100) : Dice.Milliseconds(100, 3_000)
        : Dice.Milliseconds(0.1, 3);

    public Silo? SiloAt(string address, int cluster) => Nodes.OfType<Silo>().FirstOrDefault(silo => silo.Address == address && silo.Machine.Cluster == cluster);

    /// <summary>One that clients turn to: not one that is known to be silent.</summary>
    public Silo? AnySilo(int? cluster = null)
    {
        var silos = Nodes.OfType<Silo>().Where(silo => (cluster is null || silo.Machine.Cluster == cluster) && silo.Machine.PausedUntil - Scheduler.Now < Silent).ToList();
        return silos.Count == 0 ? null : Dice.Pick(silos);
    }

    /// <summary>One that may be asked about sessions of an app.</summary>
    public Node? AnyNode(string app)
    {
        var nodes = Nodes.Where(node => node.Serves(app)).ToList();
        return nodes.Count == 0 ? null : Dice.Pick(nodes);
    }

    public void Crash(Machine machine, TimeSpan downFor)
    {
        if (machine.Node is { } node)
        {
            Note($"{machine.Name} crashes");
            node.Process.Kill();
            machine.Node = null;
            Up(machine, downFor);
        }
    }

    /// <summary>Its loop has ended in good order.</summary>
    public void Ended(Node node)
    {
        if (node.Machine.Node == node)
        {
            Crash(node.Machine, Dice.Milliseconds(10, 500));
        }
    }

    public void Verified(Node node, SimSession session, VerificationResult result, TimeSpan started)
    {
        History.Add(new Verification { Session = session.Id, Verifier = node.Machine.Name, Result = result, Started = started, Ended = Scheduler.Now });
        Scheduler.Mix((ulong)result);
        if (Scheduler.IsVerbose)
        {
            Note($"{node.Machine.Name}: {session.Id[..4]} {result}, started {started.TotalSeconds:F7}");
        }
    }

    /// <summary>The moment in which a holder does not notice something is best right before it is told.</summary>
    public void OnPush(Node node)
    {
        if (Dice.Chance(Settings.PausesAtPush))
        {
            Pause(node.Machine, Dice.Milliseconds(10, 3_000));
        }
    }

    public void Pause(Machine machine, TimeSpan time)
    {
        Note($"{machine.Name} is paused for {time}");
        machine.PausedUntil = Scheduler.Now + time > machine.PausedUntil ? Scheduler.Now + time : machine.PausedUntil;
    }

    public void Note(string line)
    {
        if (Scheduler.IsVerbose)
        {
            Scheduler.Note(line);
        }
    }

    /// <summary>Its configuration was refused: it ends, and whoever runs it tries again.</summary>
    public void Refused(Machine machine)
    {
        Note($"{machine.Name} is refused");
        machine.Node!.Process.Kill();
        machine.Node = null;
        if (Scheduler.Now < Settings.Duration)
        {
            Up(machine, Dice.Milliseconds(500, 3_000));
        }
    }

    private void Add(HolderKind kind, int number, LeaseTerms terms, int cluster = 0)
    {
        var machine = new Machine(kind, number, Clock(), terms)
        {
            Cluster = cluster,
            App = kind == HolderKind.Service ? (Settings.Lies.Count > 0 || Dice.Chance(0.7) ? Clients.Apps[0] : Clients.Apps[1]) : null,
            BehindBy = number == 0 ? TimeSpan.FromHours(2) : TimeSpan.Zero,
            WrongBy = Dice.Chance(0.3) ? TimeSpan.FromDays(200) : TimeSpan.Zero,
        };
        _machines.Add(machine);
        Up(machine, Dice.Milliseconds(0, 1_000));
    }

    private void Up(Machine machine, TimeSpan delay) => Scheduler.After(delay, () =>
    {
        machine.Node = machine.Kind == HolderKind.Silo ? new Silo(this, machine) : new Service(this, machine);
        machine.Node.Start();
    });

    private SimClock Clock()
    {
        var drift = Dice.Below(3) switch { 0 => -Settings.Drift, 1 => Settings.Drift, _ => Settings.Drift * ((2 * Dice.Unit()) - 1) };
        return new SimClock(Scheduler, Settings, 1 + drift, TimeSpan.FromSeconds(Dice.Below(1_000_000)), Dice.Between(-Settings.Offset, Settings.Offset));
    }
}
