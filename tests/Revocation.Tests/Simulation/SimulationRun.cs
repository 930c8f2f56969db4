using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>One world from its beginning to its end.</summary>
/// <param name="Problem">What must not be; null if all is well.</param>
/// <param name="Steps">How much happened.</param>
/// <param name="Acknowledged">Revocations that were acknowledged while things went wrong.</param>
/// <param name="Hash">Of everything that happened.</param>
/// <param name="Lines">The story, if it was asked for.</param>
internal sealed record SimulationRun(string? Problem, int Steps, int Acknowledged, ulong Hash, IReadOnlyList<string> Lines)
{
    // After this long without trouble every revocation is acknowledged: the longest patience of a client, one W, driver timeouts.
    private static readonly TimeSpan CalmWithin = TimeSpan.FromSeconds(22);

    public static SimulationRun Of(ulong seed, Mistake mistake = Mistake.None, bool isVerbose = false)
    {
        var world = new World(seed, mistake, isVerbose);
        var clients = new Clients(world);
        var faults = new Faults(world);
        var rows = new Rows(world, clients);
        clients.Plan();
        faults.Plan();
        if (world.Settings.HasRows)
        {
            rows.Plan();
        }

        string? problem;
        try
        {
            world.Scheduler.Run(world.Settings.Duration);
            faults.Heal();
            for (var end = world.Settings.Duration; end < world.Settings.Duration + CalmWithin && (clients.Open > 0 || world.Members.Any(machine => machine.Node is null));)
            {
                world.Scheduler.Run(end += TimeSpan.FromSeconds(1));
            }

            problem = Problems(world, clients).FirstOrDefault() ?? rows.Problem;
        }
        catch (Exception failure)
        {
            problem = failure.ToString();
        }

        return new SimulationRun(problem, world.Scheduler.Steps, clients.Acknowledged, world.Scheduler.Hash, world.Scheduler.Lines);
    }

    private static IEnumerable<string> Problems(World world, Clients clients)
    {
        List<string> atTheEnd = [.. AtTheEnd(world, clients), .. new Calm(world).Problems()];
        clients.Ledger.Tell(world.History);
        foreach (var violation in HistoryChecker.Check(world.History))
        {
            yield return violation.ToString();
        }

        if (clients.Open > 0)
        {
            yield return $"{clients.Open} revocations are never acknowledged.";
        }

        foreach (var problem in clients.Problems())
        {
            yield return problem;
        }

        foreach (var problem in atTheEnd)
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> AtTheEnd(World world, Clients clients)
    {
        var lasting = clients.Ledger.Sessions.Where(session => !clients.Ledger.CanExpire(session)).ToList();

        // One that just then is not fresh may be asked again, but not for long.
        var asked = world.Members.SelectMany(machine => lasting.Where(session => machine.Serves(session.Name.App)).Select(session => new Question(machine, session))).ToList();
        for (var round = 0; round < 30 && asked.Count > 0; round++)
        {
            // Not all at once: a holder with little memory would forget the one for the other.
            asked.ForEach(question => world.Scheduler.After(world.Dice.Milliseconds(0, 700), question.Ask));
            world.Scheduler.Run(world.Scheduler.Now + TimeSpan.FromSeconds(0.8));
            asked.RemoveAll(question => question.Answer == (Lives(question.Session) ? VerificationResult.Accepted : VerificationResult.Refused));
        }

        foreach (var question in asked)
        {
            yield return $"{question.Machine.Name} says {question.Answer} of {question.Session.Id}, which {(Lives(question.Session) ? "lives" : "is over")}.";
        }

        // One made after its whole app was revoked may be told of that, if its holder hears of it late.
        foreach (var (node, session, watch) in world.Watches.Where(watched => !watched.Node.Process.IsDead && lasting.Contains(watched.Session)))
        {
            var lives = Lives(session);
            if (watch.Ended.IsCancellationRequested ? lives && !clients.Ledger.IsNamedWithMany(session) : !lives)
            {
                yield return $"{node.Machine.Name}'s watch of {session.Id}, which {(lives ? "lives" : "is over")}.";
            }
        }

        // A row that a slow create left behind in what was removed meanwhile is no session.
        bool Lives(SimSession session) => world.Store.Lives(session.Name)
            && world.Store.Scope(session.Name.App, session.Name.Tenant).Presence == Presence.Exists && world.Store.Scope(session.Name.App, null).Presence == Presence.Exists;
    }

    private sealed class Question(Machine machine, SimSession session)
    {
        public Machine Machine => machine;

        public SimSession Session => session;

        public VerificationResult? Answer { get; private set; }

        public void Ask() => machine.Node?.Process.Run(() => SimProcess.Observe(AskAsync(machine.Node)));

        private async Task AskAsync(Node node) => Answer = await node.VerifyAsync(session, null);
    }
}
