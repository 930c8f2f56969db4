using Grid.Revocation.Holders;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Sessions' rows are written, the silos are told, and database checks are answered from what a silo remembers of them, as <c>SessionVerifier</c> does.</summary>
/// <remarks>
/// A row is the number of times that it was written. Who checks shows a token of one of these times: the remembered row is good enough for
/// "it is still that", everything else is read again.
/// </remarks>
internal sealed class Rows(World world, Clients clients)
{
    // As long as the product waits for a silo that does not answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dice _dice = world.Dice;
    private readonly Dictionary<SessionName, Row> _rows = [];

    /// <summary>The first answer that must not be; null if all is well.</summary>
    public string? Problem { get; private set; }

    public void Plan()
    {
        Repeat(() => _dice.Milliseconds(100, 1_000), Write);
        Repeat(() => _dice.Milliseconds(10, 200), Check);
    }

    private void Repeat(Func<TimeSpan> pause, Action action) => world.Scheduler.After(pause(), () =>
    {
        if (world.Scheduler.Now < world.Settings.Duration)
        {
            action();
            Repeat(pause, action);
        }
    });

    private void Write()
    {
        if (AnySession() is { } session && world.AnySilo() is { } silo)
        {
            silo.Process.Run(() => SimProcess.Observe(WriteAsync(silo, session.Name)));
        }
    }

    private async Task WriteAsync(Silo silo, SessionName name)
    {
        try
        {
            var early = world.Mistake == Mistake.ToldBeforeTheWrite ? await TellAsync(silo, name) : null;
            var version = await silo.Store.WriteRowAsync(name, committed => Of(name).Committed.Add((committed, world.Scheduler.Now)));
            if (version == 0)
            {
                return;
            }

            var heard = early ?? await TellAsync(silo, name);
            Of(name).Acknowledged.Add((version, world.Scheduler.Now, heard));
        }
        catch (SimulatedFailure)
        {
            // Nobody knows whether it is written, so nobody is told: who remembers the row reads it again within a lease.
        }
    }

    /// <returns>Who has heard of it: the writer, and whoever answered in time.</returns>
    private async Task<HashSet<SimProcess>> TellAsync(Silo silo, SessionName name)
    {
        silo.Holder.MarkChanged(name);
        HashSet<SimProcess> heard = [silo.Process];
        var others = world.Nodes.OfType<Silo>().Where(other => other != silo && other.Machine.Cluster == silo.Machine.Cluster).ToList();
        var all = new TaskCompletionSource();
        if (others.Count == 0)
        {
            return heard;
        }

        foreach (var other in others)
        {
            world.Scheduler.After(world.Latency(), () => Hand(other));
        }

        world.Scheduler.After(Patience, silo.Process, () => all.TrySetResult());
        await all.Task;
        return [.. heard];

        void Hand(Silo other)
        {
            if (silo.Machine.Reaches(other.Machine) && !_dice.Chance(world.Settings.PushLoss))
            {
                other.Process.Run(() =>
                {
                    other.Holder.MarkChanged(name);
                    if (other.Machine.Reaches(silo.Machine) && !_dice.Chance(world.Settings.PushLoss))
                    {
                        world.Scheduler.After(world.Latency(), silo.Process, () => Heard(other));
                    }
                });
            }
        }

        void Heard(Silo other)
        {
            heard.Add(other.Process);
            if (heard.Count > others.Count)
            {
                all.TrySetResult();
            }
        }
    }

    private void Check()
    {
        if (AnySession() is { } session && world.Nodes.OfType<Silo>().ToList() is { Count: > 0 } silos)
        {
            var silo = _dice.Pick(silos);
            for (var times = _dice.Chance(0.2) ? 3 : 1; times > 0; times--)
            {
                world.Scheduler.After(_dice.Milliseconds(0, 3), silo.Process, () => SimProcess.Observe(CheckAsync(silo, session)));
            }
        }
    }

    private async Task CheckAsync(Silo silo, SimSession session)
    {
        var started = world.Scheduler.Now;
        var row = Of(session.Name);
        var shown = row.Committed.Count == 0 || _dice.Chance(0.2) ? 0 : row.Committed[^(1 + _dice.Below(Math.Min(2, row.Committed.Count)))].Version;
        var lease = world.Mistake == Mistake.RowNeverReadAgain ? TimeSpan.FromHours(1) : silo.Machine.Terms.Lease;

        // As it is now: what is written meanwhile nobody has to know.
        var told = row.Acknowledged.Where(write => write.Heard.Contains(silo.Process)).Select(write => write.Version).DefaultIfEmpty().Max();
        var committed = row.Committed.Select(write => write.Version).DefaultIfEmpty().Max();
        var (result, version) = await AskAsync(silo, session.Name, lease, leases => world.Settings.Sleeps > 0 ? 0 : row.Committed
            .Where(write => write.At < started - (leases * silo.Machine.Terms.Lease / (1 - world.Settings.Drift)))
            .Select(write => write.Version).DefaultIfEmpty().Max());
        if (result == VerificationResult.Accepted)
        {
            Expect(version >= told, $"{silo.Machine.Name} answers by row {version} of {session.Id} though it was told of row {told}");
            if (version != shown && world.Mistake != Mistake.ChangeTakenFromMemory)
            {
                (result, version) = await AskAsync(silo, session.Name, TimeSpan.Zero, _ => committed);
            }

            // The answer is either that it is still as the token says, or what it is now.
            Expect(
                result != VerificationResult.Accepted || version == shown || version >= committed,
                $"{silo.Machine.Name} says that row {version} of {session.Id} took the place of row {shown}, but row {committed} did");
        }

        world.Verified(silo, session, result, started);
    }

    /// <param name="silo">Who is asked.</param>
    /// <param name="name">Which session.</param>
    /// <param name="within">How old its row may be.</param>
    /// <param name="least">What the row must have come to, by how many leases old it may be.</param>
    private async Task<(VerificationResult Result, long Version)> AskAsync(Silo silo, SessionName name, TimeSpan within, Func<int, long> least)
    {
        var asked = silo.Checks.FindAsync(name, within).AsTask();
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (!asked.IsCompletedSuccessfully)
        {
            return asked.Exception?.InnerException is SimulatedFailure
                ? (VerificationResult.Unavailable, 0)
                : throw new InvalidOperationException("Not a failure that belongs here.", asked.Exception);
        }

        switch (asked.Result)
        {
            case { Liveness: Liveness.Ended }:
                return (VerificationResult.Refused, 0);
            case { Liveness: Liveness.Active, Details: not DetailsAge.Outdated, Session: { } found }:
                var version = found.Details as long? ?? 0;
                var expected = least(asked.Result.Details == DetailsAge.Older ? 2 : 1);
                Expect(version >= expected, $"{silo.Machine.Name} answers by row {version} of {name.Id} when it has to have read {expected}");
                return (VerificationResult.Accepted, version);
            default:
                return (VerificationResult.Unavailable, 0);
        }
    }

    private void Expect(bool isSo, string problem) => Problem ??= isSo ? null : problem + $" at {world.Scheduler.Now}.";

    private SimSession? AnySession() =>
        clients.Ledger.Sessions is { Count: > 0 } sessions ? sessions[sessions.Count - 1 - _dice.Below(Math.Min(6, sessions.Count))] : null;

    private Row Of(SessionName name)
    {
        if (!_rows.TryGetValue(name, out var row))
        {
            _rows.Add(name, row = new Row());
        }

        return row;
    }

    private sealed class Row
    {
        public List<(long Version, TimeSpan At)> Committed { get; } = [];

        public List<(long Version, TimeSpan At, HashSet<SimProcess> Heard)> Acknowledged { get; } = [];
    }
}
