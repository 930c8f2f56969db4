using Grid.Revocation.Holders;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Those who make sessions, show them and revoke them. A revocation that is not acknowledged is asked for again.</summary>
internal sealed class Clients(World world)
{
    private static readonly string[] Apps = ["public", "other"];
    private static readonly string[] Tenants = ["t", "t2"];
    private static readonly string[] Users = ["anna", "ben"];

    private readonly Dice _dice = world.Dice;
    private readonly Scheduler _scheduler = world.Scheduler;
    private readonly List<SimSession> _sessions = [];

    // As far as is known: who crashes tells nothing more.
    private readonly Dictionary<string, MadeSession> _made = [];
    private readonly List<RevokeCall> _calls = [];

    public IReadOnlyList<SimSession> Sessions => _sessions;

    /// <summary>Revocations that are still to be acknowledged.</summary>
    public int Open { get; private set; }

    public int Acknowledged { get; private set; }

    public void Plan()
    {
        for (var i = 0; i < 6; i++)
        {
            _scheduler.After(_dice.Milliseconds(500, 2_000), Create);
        }

        Repeat(TimeSpan.Zero, () => _dice.Milliseconds(200, 1_500), Create);
        Repeat(TimeSpan.FromSeconds(1), () => _dice.Milliseconds(1, 120), Verify);
        Repeat(TimeSpan.FromSeconds(2), () => _dice.Milliseconds(100, 1_500), Revoke);
    }

    /// <summary>Whether its tenant or app was ever revoked as a whole.</summary>
    public bool Named(SimSession session) => _calls.Any(call => call.UserId is null && call.Session is null && call.Names(_made[session.Id]));

    /// <summary>Hands over what they know of what they made and revoked.</summary>
    public void Tell(SessionHistory history)
    {
        foreach (var made in _made.Values)
        {
            history.Add(made);
        }

        _calls.ForEach(history.Add);
    }

    private void Repeat(TimeSpan first, Func<TimeSpan> pause, Action action) => _scheduler.After(first, () =>
    {
        if (_scheduler.Now < world.Settings.Duration)
        {
            action();
            Repeat(pause(), pause, action);
        }
    });

    private void Create()
    {
        if (world.AnySilo() is not { } silo)
        {
            return;
        }

        var session = new SimSession(new SessionName(_dice.Chance(0.8) ? Apps[0] : Apps[1], _dice.Chance(0.7) ? Tenants[0] : Tenants[1], _dice.Guid()), _dice.Pick(Users));
        silo.Process.Run(() => SimProcess.Observe(CreateAsync(silo, session)));
    }

    private async Task CreateAsync(Silo silo, SimSession session)
    {
        var made = new MadeSession
        {
            Session = session.Id,
            App = session.Name.App,
            Tenant = session.Name.Tenant,
            UserId = session.UserId,
            Started = _scheduler.Now,
        };

        // Somebody may see it in a list before its maker is told.
        _sessions.Add(session);
        _made.Add(session.Id, made);
        world.Note($"{silo.Machine.Name} makes {session.Id[..4]} of {session.UserId} in {session.Name.App}/{session.Name.Tenant}");
        try
        {
            if (await silo.Store.CreateAsync(session.Name, session.UserId))
            {
                _made[session.Id] = made with { Acknowledged = _scheduler.Now };
            }
        }
        catch (SimulatedFailure)
        {
            // Perhaps it is there.
        }
    }

    private void Verify()
    {
        if (_sessions.Count == 0 || world.AnyNode() is not { } node)
        {
            return;
        }

        // The newest ones more often: those that nobody knows are of little use.
        var session = _sessions[_sessions.Count - 1 - _dice.Below(_dice.Chance(0.5) ? Math.Min(4, _sessions.Count) : _sessions.Count)];
        var details = _dice.Chance(0.2) ? _dice.Milliseconds(0, 1_000) : (TimeSpan?)null;
        for (var times = _dice.Chance(0.1) ? 4 : 1; times > 0; times--)
        {
            node.Verify(session, details);
        }

        if (_dice.Chance(0.05))
        {
            node.Watch(session);
        }

        if (_dice.Chance(0.05))
        {
            node.Process.Run(() => node.Holder.Changed(session.Name));
        }
    }

    private void Revoke()
    {
        if (_sessions.Count == 0)
        {
            return;
        }

        var session = _sessions[_sessions.Count - 1 - _dice.Below(Math.Min(8, _sessions.Count))];
        var name = session.Name;
        var scope = _dice.Below(10) switch
        {
            < 5 => new Scope(name.App, Session: name),
            5 => new Scope(name.App, name.Tenant, session.UserId),
            6 => new Scope(name.App, null, session.UserId),
            7 => new Scope(name.App, _dice.Chance(0.5) ? name.Tenant : null, session.UserId, Kept: name),
            8 => new Scope(name.App, name.Tenant),
            _ => new Scope(name.App),
        };

        // So that most know what is going to be over, and some are just looking.
        foreach (var node in world.Nodes)
        {
            _scheduler.After(_dice.Milliseconds(0, 60), node.Process, () => node.Verify(session, null));
        }

        Open++;
        _scheduler.After(_dice.Milliseconds(0, 80), () => Attempt(scope, isFirst: true));
    }

    // Until it is acknowledged: whoever asked may have died, or his answer may be lost.
    private void Attempt(Scope scope, bool isFirst)
    {
        if (world.AnySilo() is not { } silo)
        {
            _scheduler.After(_dice.Milliseconds(50, 500), () => Attempt(scope, isFirst));
            return;
        }

        var gaveUp = new CancellationTokenSource();
        var isOver = false;
        silo.Process.Run(() => SimProcess.Observe(RunAsync()));
        var patience = _dice.Chance(0.05) ? _dice.Milliseconds(0, 2_000) : _dice.Milliseconds(6_000, 10_000);
        _scheduler.After(patience, () =>
        {
            if (!isOver)
            {
                isOver = true;
                silo.Process.Run(gaveUp.Cancel);
                Attempt(scope, isFirst: false);
            }
        });

        async Task RunAsync()
        {
            var index = _calls.Count;
            _calls.Add(scope.Call(_scheduler.Now));
            if (!await RevokeAsync(silo, scope, isFirst, gaveUp.Token))
            {
                return;
            }

            world.Note($"acknowledged: {scope}");
            _calls[index] = _calls[index] with { Acknowledged = _scheduler.Now };
            Probe(_calls[index]);
            if (!isOver)
            {
                isOver = true;
                Open--;
                Acknowledged++;
            }
        }
    }

    private async Task<bool> RevokeAsync(Silo silo, Scope scope, bool isFirst, CancellationToken gaveUp)
    {
        try
        {
            world.Note($"{silo.Machine.Name} revokes {scope}");
            if (silo.Registry is EarlyRegistry early)
            {
                await early.ReadAsync();
            }

            var entries = await silo.Store.RevokeAsync(scope);
            var committedAt = silo.Machine.Clock.GetTimestamp();
            if (_dice.Chance(world.Settings.CrashesAtCommit))
            {
                _scheduler.After(_dice.Milliseconds(0, 10), () => world.Crash(silo.Machine, _dice.Milliseconds(20, 3_000)));
            }

            if (entries.Count > 0 && !(world.Mistake == Mistake.RepetitionAcknowledgedAtOnce && !isFirst))
            {
                await silo.Revoker.ConfirmAsync(entries, committedAt, gaveUp);
            }

            return true;
        }
        catch (Exception failure) when (failure is SimulatedFailure or OperationCanceledException)
        {
            return false;
        }
    }

    // Whoever asks right now may not be told that they live; nor may who asks a little later.
    private void Probe(RevokeCall call)
    {
        var over = _sessions.Where(session => call.Names(_made[session.Id])).ToList();
        _scheduler.After(TimeSpan.FromTicks(1), () =>
        {
            foreach (var (node, session) in world.Nodes.SelectMany(node => over.Select(session => (node, session))))
            {
                var started = _scheduler.Now;
                if (node.Holder.Check(session.Name, out _) == HolderVerdict.Known)
                {
                    world.Verified(node, session, VerificationResult.Accepted, started);
                }
            }
        });
        foreach (var node in world.Nodes.Where(_ => over.Count > 0))
        {
            for (var times = _dice.Below(4); times > 0; times--)
            {
                _scheduler.After(_dice.Milliseconds(0, _dice.Chance(0.5) ? 20 : 3_000), () => node.Verify(_dice.Pick(over), null));
            }
        }
    }
}
