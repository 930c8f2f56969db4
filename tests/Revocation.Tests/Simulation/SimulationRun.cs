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
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(22);

    public static SimulationRun Of(ulong seed, Mistake mistake = Mistake.None, bool isVerbose = false)
    {
        var world = new World(seed, mistake, isVerbose);
        var clients = new Clients(world);
        var faults = new Faults(world);
        clients.Plan();
        faults.Plan();
        string? problem;
        try
        {
            world.Scheduler.Run(world.Settings.Duration);
            faults.Heal();
            for (var end = world.Settings.Duration; end < world.Settings.Duration + Calm && (clients.Open > 0 || world.Machines.Any(machine => machine.Node is null));)
            {
                world.Scheduler.Run(end += TimeSpan.FromSeconds(1));
            }

            problem = Problems(world, clients).FirstOrDefault();
        }
        catch (Exception failure)
        {
            problem = failure.ToString();
        }

        return new SimulationRun(problem, world.Scheduler.Steps, clients.Acknowledged, world.Scheduler.Hash, world.Scheduler.Lines);
    }

    private static IEnumerable<string> Problems(World world, Clients clients)
    {
        clients.Tell(world.History);
        foreach (var violation in HistoryChecker.Check(world.History))
        {
            yield return violation.ToString();
        }

        if (clients.Open > 0)
        {
            yield return $"{clients.Open} revocations are never acknowledged.";
        }

        foreach (var problem in AtTheEnd(world, clients))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> AtTheEnd(World world, Clients clients)
    {
        // One that just then is not fresh may be asked again, but not for long.
        var asked = world.Machines.SelectMany(machine => clients.Sessions.Select(session => new Question(machine, session))).ToList();
        for (var round = 0; round < 30 && asked.Count > 0; round++)
        {
            // Not all at once: a holder with little memory would forget the one for the other.
            asked.ForEach(question => world.Scheduler.After(world.Dice.Milliseconds(0, 700), question.Ask));
            world.Scheduler.Run(world.Scheduler.Now + TimeSpan.FromSeconds(0.8));
            asked.RemoveAll(question => question.Answer == (world.Store.Lives(question.Session.Name.Id) ? VerificationResult.Accepted : VerificationResult.Refused));
        }

        foreach (var question in asked)
        {
            yield return $"{question.Machine.Name} says {question.Answer} of {question.Session.Id}, which {(world.Store.Lives(question.Session.Name.Id) ? "lives" : "is over")}.";
        }

        // One made after its whole app was revoked may be told of that, if its holder hears of it late.
        foreach (var (node, session, watch) in world.Watches.Where(watched => !watched.Node.Process.IsDead))
        {
            var lives = world.Store.Lives(session.Name.Id);
            if (watch.Ended.IsCancellationRequested ? lives && !clients.Named(session) : !lives)
            {
                yield return $"{node.Machine.Name}'s watch of {session.Id}, which {(lives ? "lives" : "is over")}.";
            }
        }
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
