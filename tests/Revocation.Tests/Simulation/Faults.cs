namespace Grid.Revocation.Tests.Simulation;

/// <summary>What goes wrong, and when.</summary>
internal sealed class Faults(World world)
{
    private readonly Dice _dice = world.Dice;
    private readonly Settings _settings = world.Settings;
    private bool _isHealed;

    public void Plan()
    {
        Repeat(_settings.Outages, Outage);
        Repeat(_settings.Crashes, () => world.Crash(Any(), _dice.Chance(0.5) ? _dice.Milliseconds(20, 300) : _dice.Milliseconds(300, 6_000)));
        Repeat(_settings.Restarts, () => Any().Node?.Stop());
        Repeat(_settings.Pauses, () => world.Pause(Any(), _dice.Chance(0.5) ? _dice.Milliseconds(20, 1_000) : _dice.Milliseconds(1_000, 6_000)));
        Repeat(_settings.Cuts, Cut);
        Repeat(_settings.WallJumps, JumpWall);
        Repeat(_settings.Sleeps, Sleep);
        Repeat(_settings.SilentLinks, SilenceLink);
        Repeat(_settings.Backups, world.Store.BackUp);
        if (_settings.HasSilence)
        {
            SilenceOne();
        }
    }

    /// <summary>From now on everything works.</summary>
    public void Heal()
    {
        world.Note("healed");
        _isHealed = true;
        if (world.Store.IsDown)
        {
            world.Store.ComeUp();
        }

        (_settings.Loss, _settings.PushLoss, _settings.Slow, _settings.SlowLinks, _settings.PausesAtPush, _settings.CrashesAtCommit, _settings.Stalls) = (0, 0, 0, 0, 0, 0, 0);
        (_settings.CallLoss, _settings.CallsAstray) = (0, 0);
        foreach (var machine in world.Machines)
        {
            machine.PausedUntil = TimeSpan.Zero;
            machine.Clock.Wake();
            machine.IsCutFromStore = false;
            machine.Unheard.Clear();
        }
    }

    private void Repeat(int times, Action fault)
    {
        while (times-- > 0)
        {
            world.Scheduler.After(_dice.Between(TimeSpan.Zero, _settings.Duration), () =>
            {
                if (!_isHealed)
                {
                    fault();
                }
            });
        }
    }

    private Machine Any() => _dice.Pick(world.Machines);

    private void Outage()
    {
        world.Note("the store goes down");
        world.Store.GoDown();
        world.Store.IsSilent = _dice.Chance(0.5);
        world.Scheduler.After(_dice.Chance(0.7) ? _dice.Milliseconds(50, 1_500) : _dice.Milliseconds(1_500, 6_000), () =>
        {
            if (world.Store.IsDown)
            {
                world.Store.ComeUp();
            }
        });
    }

    // The others wait it out, die before the reaper has, and come back when it is about to wake: its row is still there, and the log is not.
    private void SilenceOne()
    {
        var (one, time) = (Any(), _dice.Milliseconds(17_000, 20_000));
        var (falls, dies) = (_dice.Milliseconds(4_000, 20_000), _dice.Milliseconds(2_700, 4_000));
        world.Scheduler.After(falls, () => world.Pause(one, time));
        foreach (var other in world.Machines.Where(machine => machine != one))
        {
            world.Scheduler.After(falls + dies, () => world.Crash(other, time - dies - _dice.Milliseconds(1_000, 3_000)));
        }
    }

    private void Cut()
    {
        var (machine, other) = (Any(), Any());
        var fromStore = _dice.Chance(0.5);
        world.Note($"{machine.Name} is cut off from {(fromStore ? "the store" : other.Name)}");
        machine.IsCutFromStore |= fromStore;
        if (!fromStore && machine != other)
        {
            machine.Unheard.Add(other);
        }

        world.Scheduler.After(_dice.Milliseconds(100, 6_000), () =>
        {
            machine.IsCutFromStore = false;
            machine.Unheard.Clear();
        });
    }

    private void SilenceLink()
    {
        var links = world.Nodes.OfType<Service>().Select(service => service.Link).Where(link => link is { IsOpen: true }).ToList();
        if (links.Count > 0)
        {
            world.Note("a connection is dead, and nobody knows");
            _dice.Pick(links)!.FallSilent(_dice.Milliseconds(500, 4_000));
        }
    }

    private void JumpWall()
    {
        var (machine, by) = (Any(), _dice.Chance(0.3) ? _dice.Milliseconds(-500, 500) : _dice.Milliseconds(-60_000, 60_000));
        world.Note($"{machine.Name}'s wall clock jumps by {by}");
        machine.Clock.JumpWall(by);
    }

    // The monotonic clock stands still, as where the machine's other clocks cannot be read.
    private void Sleep()
    {
        var (machine, time) = (Any(), _dice.Chance(0.3) ? _dice.Milliseconds(20, 500) : _dice.Milliseconds(500, 6_000));
        world.Note($"{machine.Name} sleeps for {time}");
        world.Pause(machine, time);
        machine.Clock.Sleep();
        world.Scheduler.After(time, machine.Clock.Wake);
    }
}
