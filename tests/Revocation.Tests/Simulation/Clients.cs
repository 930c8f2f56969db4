using Grid.Revocation.Holders;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Those who make sessions, show them and revoke them. A revocation that is not acknowledged is asked for again.</summary>
internal sealed class Clients
{
    public static readonly string[] Apps = ["public", "other"];
    public static readonly string[] Tenants = ["t", "t2"];
    public static readonly string[] Users = ["anna", "ben"];
    public static readonly TimeSpan Long = TimeSpan.FromDays(100);

    private readonly World _world;
    private readonly Dice _dice;
    private readonly Scheduler _scheduler;
    private readonly Ledger _ledger;
    private readonly Tickets _tickets;
    private readonly Removals _removals;

    public Clients(World world)
    {
        (_world, _dice, _scheduler) = (world, world.Dice, world.Scheduler);
        _ledger = new Ledger(world);
        _tickets = new Tickets(world, this);
        _removals = new Removals(world, this);
    }

    /// <summary>What one of them does at a silo. False, or a failure: it is not done, or nobody knows.</summary>
    public delegate Task<bool> RevokeCallAsync(Silo silo, Scope scope, bool isFirst, CancellationToken gaveUp);

    public Ledger Ledger => _ledger;

    /// <summary>Revocations that are still to be acknowledged.</summary>
    public int Open { get; private set; }

    public int Acknowledged { get; private set; }

    private IReadOnlyList<SimSession> Sessions => _ledger.Sessions;

    public void Plan()
    {
        for (var i = 0; i < 6; i++)
        {
            _scheduler.After(_dice.Milliseconds(500, 2_000), Create);
        }

        Repeat(TimeSpan.Zero, () => _dice.Milliseconds(200, 1_500), Create);
        Repeat(TimeSpan.FromSeconds(1), () => _dice.Milliseconds(1, 120), Verify);
        Repeat(TimeSpan.FromSeconds(2), () => _dice.Milliseconds(100, 1_500), Revoke);
        if (_world.Settings.HasTickets)
        {
            Repeat(TimeSpan.FromSeconds(0.5), () => _dice.Milliseconds(300, 2_000), _tickets.Order);
        }

        if (_world.Settings.HasRemovals)
        {
            Repeat(TimeSpan.FromSeconds(3), () => _dice.Milliseconds(500, 4_000), _removals.Remove);
            Repeat(TimeSpan.FromSeconds(3), () => _dice.Milliseconds(300, 2_000), _removals.MakeAnew);
        }
    }

    public IEnumerable<string> Problems() => _removals.Problems();

    /// <summary>Until it is acknowledged: whoever asked may have died, or his answer may be lost.</summary>
    public void Attempt(Scope scope, RevokeCallAsync revokeAsync)
    {
        Open++;
        _scheduler.After(_dice.Milliseconds(0, 80), () => Attempt(scope, revokeAsync, isFirst: true));
    }

    private void Repeat(TimeSpan first, Func<TimeSpan> pause, Action action) => _scheduler.After(first, () =>
    {
        if (_scheduler.Now < _world.Settings.Duration)
        {
            action();
            Repeat(pause(), pause, action);
        }
    });

    private void Create()
    {
        if (_world.AnySilo() is { } silo)
        {
            var session = _ledger.NewSession();
            silo.Process.Run(() => SimProcess.Observe(CreateAsync(silo, session)));
        }
    }

    private async Task CreateAsync(Silo silo, SimSession session)
    {
        try
        {
            if (_world.Settings.HasRemovals && !await silo.Store.IsServedAsync(session.Name))
            {
                return;
            }

            // Somebody may see it in a list before its maker is told.
            var life = _dice.Chance(_world.Settings.ShortLived) ? _dice.Milliseconds(2_000, 6_000) : Long;
            _ledger.Begins(session, canExpire: life < Long);
            _world.Note($"{silo.Machine.Name} makes {session.Id[..4]} of {session.UserId} in {session.Name.App}/{session.Name.Tenant}");
            if (await silo.Store.CreateAsync(session.Name, session.UserId, life) && await IsStillServedAsync(silo, session.Name))
            {
                _ledger.Made(session);
            }
        }
        catch (SimulatedFailure)
        {
            // Perhaps it is there: whoever wants one asks for another, under a handle of its own.
            if (_world.Mistake == Mistake.CreateSentTwice)
            {
                _scheduler.After(_dice.Milliseconds(500, 5_000), silo.Process, () => SimProcess.Observe(SendAgainAsync(silo, session)));
            }
        }
    }

    private static async Task SendAgainAsync(Silo silo, SimSession session)
    {
        try
        {
            await silo.Store.CreateAsync(session.Name, session.UserId, Long);
        }
        catch (SimulatedFailure)
        {
            // Perhaps it is there now.
        }
    }

    /// <summary>What was made in a tenant or an app that was removed meanwhile, after its sessions were ended, is ended by who made it.</summary>
    public async Task<bool> IsStillServedAsync(Silo silo, SessionName name)
    {
        if (!_world.Settings.HasRemovals || _world.Mistake == Mistake.CreateOutlivesRemoval || await silo.Store.IsServedAsync(name))
        {
            return true;
        }

        await silo.Store.RevokeAsync(new Scope(name.App, Session: name));
        return false;
    }

    private void Verify()
    {
        if (Sessions.Count == 0)
        {
            return;
        }

        // The newest ones more often: those that nobody knows are of little use.
        var session = Sessions[Sessions.Count - 1 - _dice.Below(_dice.Chance(0.5) ? Math.Min(4, Sessions.Count) : Sessions.Count)];
        if (_world.AnyNode(session.Name.App) is not { } node)
        {
            return;
        }

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
            node.Process.Run(() => node.Holder.MarkChanged(session.Name));
        }
    }

    private void Revoke()
    {
        if (Sessions.Count == 0)
        {
            return;
        }

        var session = Sessions[Sessions.Count - 1 - _dice.Below(Math.Min(8, Sessions.Count))];
        if (!_ledger.IsKnown(session))
        {
            return;
        }

        var name = session.Name;
        // Where one is silent for long, a revocation of many would end what the silent one has missed.
        var scope = (_world.Settings.HasSilence ? 0 : _dice.Below(10)) switch
        {
            < 5 => _world.Settings.HasForeigners && _dice.Chance(0.3) ? Misnamed(name) : new Scope(name.App, Session: name),
            5 => new Scope(name.App, name.Tenant, session.UserId),
            6 => new Scope(name.App, null, session.UserId),
            7 => new Scope(name.App, _dice.Chance(0.5) ? name.Tenant : null, session.UserId, Kept: name),
            8 => new Scope(name.App, name.Tenant),
            _ => new Scope(name.App),
        };

        if (_ledger.IsPromised(session))
        {
            _tickets.Redeem(session, _dice.Milliseconds(0, 90));
        }

        // So that most know what is going to be over, and some are just looking.
        foreach (var node in _world.Nodes.Where(node => node.Serves(name.App)))
        {
            _scheduler.After(_dice.Milliseconds(0, 60), node.Process, () => node.Verify(session, null));
        }

        Attempt(scope, RevokeAsync);
    }

    // By an app to which it does not belong, or in a tenant in which it is not.
    private Scope Misnamed(SessionName name)
    {
        var other = _dice.Chance(0.5)
            ? name with { App = name.App == Apps[0] ? Apps[1] : Apps[0] }
            : name with { Tenant = name.Tenant == Tenants[0] ? Tenants[1] : Tenants[0] };
        return new Scope(other.App, Session: other, IsMisnamed: true);
    }

    private void Attempt(Scope scope, RevokeCallAsync revokeAsync, bool isFirst)
    {
        if (_world.AnySilo() is not { } silo)
        {
            _scheduler.After(_dice.Milliseconds(50, 500), () => Attempt(scope, revokeAsync, isFirst));
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
                Attempt(scope, revokeAsync, isFirst: false);
            }
        });

        async Task RunAsync()
        {
            var call = _ledger.Begins(scope.Call(_scheduler.Now));
            try
            {
                if (!await revokeAsync(silo, scope, isFirst, gaveUp.Token))
                {
                    return;
                }
            }
            catch (Exception failure) when (failure is SimulatedFailure or OperationCanceledException)
            {
                return;
            }

            _world.Note($"acknowledged: {scope}");
            Probe(_ledger.Acknowledged(call));
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
        _world.Note($"{silo.Machine.Name} revokes {scope}");
        if (silo.Registry is EarlyRegistry early)
        {
            await early.ReadAsync();
        }

        var entries = await silo.Store.RevokeAsync(scope);
        var committedAt = silo.Machine.Clock.GetTimestamp();
        if (_dice.Chance(_world.Settings.CrashesAtCommit))
        {
            _scheduler.After(_dice.Milliseconds(0, 10), () => _world.Crash(silo.Machine, _dice.Milliseconds(20, 3_000)));
        }

        if (entries.Count > 0 && !(_world.Mistake == Mistake.RepetitionAcknowledgedAtOnce && !isFirst))
        {
            await silo.Revoker.ConfirmAsync(entries, committedAt, gaveUp);
        }

        return true;
    }

    // Whoever asks right now may not be told that they live; nor may who asks a little later, or comes with a ticket of before.
    private void Probe(RevokeCall call)
    {
        var over = _ledger.NamedBy(call);
        if (over.Count == 0)
        {
            return;
        }

        _scheduler.After(TimeSpan.FromTicks(1), () =>
        {
            foreach (var (node, session) in _world.Nodes.SelectMany(node => over.Where(session => node.Serves(session.Name.App)).Select(session => (node, session))))
            {
                var started = _scheduler.Now;
                if (node.Holder.Check(session.Name, out _) == HolderVerdict.Known)
                {
                    _world.Verified(node, session, VerificationResult.Accepted, started);
                }
            }
        });
        foreach (var node in _world.Nodes)
        {
            for (var times = _dice.Below(4); times > 0; times--)
            {
                var session = _dice.Pick(over);
                if (node.Serves(session.Name.App))
                {
                    _scheduler.After(_dice.Milliseconds(0, _dice.Chance(0.5) ? 20 : 3_000), () => node.Verify(session, null));
                }
            }
        }

        foreach (var session in over.Where(_ledger.IsPromised).Where(_ => _dice.Chance(0.3)))
        {
            _tickets.Redeem(session, _dice.Milliseconds(0, 1_000));
        }
    }
}
