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
    }

    /// <summary>From now on everything works.</summary>
    public void Heal()
    {
        world.Note("healed");
        _isHealed = true;
        (world.Store.IsDown, world.Store.IsSilent) = (false, false);
        (_settings.Loss, _settings.PushLoss, _settings.Slow, _settings.PausesAtPush, _settings.CrashesAtCommit, _settings.Stalls) = (0, 0, 0, 0, 0, 0);
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
        world.Store.Outages++;
        (world.Store.IsDown, world.Store.IsSilent) = (true, _dice.Chance(0.5));
        world.Scheduler.After(_dice.Chance(0.7) ? _dice.Milliseconds(50, 1_500) : _dice.Milliseconds(1_500, 6_000), () => world.Store.IsDown = false);
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
