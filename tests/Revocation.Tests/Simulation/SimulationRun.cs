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
    // After this long without trouble nothing of it may be left: driver timeouts, the longest lease for revoker and reaper, a round of each.
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
            world.Scheduler.Run(world.Settings.Duration + Calm);
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
        foreach (var machine in world.Machines)
        {
            if (machine.Node is not { } node || !node.Holder.IsFresh)
            {
                yield return $"{machine.Name} is not fresh.";
            }
        }

        var answers = new List<(Node Node, SimSession Session, Task<VerificationResult> Answer)>();
        foreach (var node in world.Nodes)
        {
            node.Process.Run(() => answers.AddRange(clients.Sessions.Select(session => (node, session, node.VerifyAsync(session, null)))));
        }

        world.Scheduler.Run(world.Scheduler.Now + TimeSpan.FromSeconds(1));
        foreach (var (node, session, answer) in answers)
        {
            var expected = world.Store.Lives(session.Name.Id) ? VerificationResult.Accepted : VerificationResult.Refused;
            if (!answer.IsCompletedSuccessfully || answer.Result != expected)
            {
                yield return $"{node.Machine.Name} says {(answer.IsCompletedSuccessfully ? answer.Result : answer.Status)} of {session.Id}: expected {expected}.";
            }
        }

        foreach (var (node, session, watch) in world.Watches.Where(watched => !watched.Node.Process.IsDead))
        {
            if (watch.Ended.IsCancellationRequested == world.Store.Lives(session.Name.Id))
            {
                yield return $"{node.Machine.Name}'s watch of {session.Id}: ended {watch.Ended.IsCancellationRequested}.";
            }
        }
    }
}
