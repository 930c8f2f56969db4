namespace Grid.Revocation.Tests.Simulation;

/// <summary>How bad a world is. Each trouble is absent from many worlds: where everything fails, little happens.</summary>
internal sealed class Settings
{
    public Settings(Dice dice, Mistake mistake)
    {
        Silos = 2 + dice.Below(2);
        Services = Math.Max(0, dice.Below(5) - 2);
        Duration = TimeSpan.FromSeconds(8 + dice.Below(8));
        Capacity = dice.Chance(0.2) ? 3 : 1_000;
        StableAddresses = dice.Chance(0.5);
        HasLongLease = dice.Chance(0.2);
        Loss = dice.Chance(0.5) ? 0 : dice.Unit() * 0.1;
        PushLoss = dice.Chance(0.1) ? 0.95 : Loss;
        Slow = dice.Chance(0.5) ? 0.01 : dice.Unit() * 0.2;
        Doubled = dice.Chance(0.5) ? 0 : 0.2;
        Outages = Some(dice, 3);
        Crashes = Some(dice, 4);
        Restarts = Some(dice, 2);
        Pauses = Some(dice, 5);
        Cuts = Some(dice, 4);
        PausesAtPush = dice.Chance(0.7) ? 0 : 0.1;
        CrashesAtCommit = dice.Chance(0.5) ? 0 : 0.2;

        // What the clocks may do adds up: W covers 10 % up and down, or somewhat less and sleep that h6 lets pass.
        (WallJumps, Sleeps) = dice.Below(4) switch { 0 => (Some(dice, 4), 0), 1 => (0, Some(dice, 4)), _ => (0, 0) };
        Drift = dice.Chance(0.2) ? 0 : Sleeps > 0 ? 0.04 : 0.1;
        Stalls = dice.Chance(0.7) ? 0 : 0.001;
        Earliness = dice.Chance(0.7) ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1);
        if (dice.Chance(0.03) || mistake == Mistake.RelayNotTold)
        {
            // Made for relays: silos that are forgotten, registrations that fail, and no pushes to tell what nobody has read.
            (Silos, Services, Duration, Crashes, Pauses, Loss, PushLoss) = (2, 3, TimeSpan.FromSeconds(20), 0, 10, 0.15, 0.95);
        }
    }

    public LeaseTerms Terms { get; } = new(TimeSpan.FromSeconds(2));

    /// <summary>Of services, and of a silo that was configured otherwise.</summary>
    public LeaseTerms LongTerms { get; } = new(TimeSpan.FromSeconds(3));

    public int Silos { get; }

    public int Services { get; }

    public TimeSpan Duration { get; }

    public int Capacity { get; }

    /// <summary>A process that starts again is reached where its predecessor was.</summary>
    public bool StableAddresses { get; }

    /// <summary>One silo has another L than the rest.</summary>
    public bool HasLongLease { get; }

    /// <summary>Of requests and answers.</summary>
    public double Loss { get; set; }

    /// <summary>Where most pushes are lost, all rests on renewals and leases.</summary>
    public double PushLoss { get; set; }

    /// <summary>How many messages take their time.</summary>
    public double Slow { get; set; }

    public double Doubled { get; }

    public int Outages { get; }

    public int Crashes { get; }

    public int Restarts { get; }

    public int Pauses { get; }

    public int Cuts { get; }

    public double PausesAtPush { get; set; }

    public double CrashesAtCommit { get; set; }

    public int WallJumps { get; }

    public int Sleeps { get; }

    public double Drift { get; }

    public TimeSpan Earliness { get; }

    /// <summary>For each reading of a clock.</summary>
    public double Stalls { get; set; }

    private static int Some(Dice dice, int most) => dice.Chance(0.5) ? 0 : 1 + dice.Below(most);
}
