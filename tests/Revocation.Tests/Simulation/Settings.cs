using Grid.Revocation.Relay;

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
        HasTickets = dice.Chance(0.5) || mistake is Mistake.TicketGoodTwice or Mistake.TicketOutlivesRevocation or Mistake.SessionDeletedBeforeItsTicket;
        HasRemovals = dice.Chance(0.3) || mistake is Mistake.StruckBeforeItsSessionsEnd or Mistake.RemovalNotConfirmed or Mistake.CreateOutlivesRemoval or Mistake.LateRemovalHitsTheNamesake;
        HasForeigners = dice.Chance(0.2) || mistake is Mistake.EntryForANeighboursSession or Mistake.SessionDeletedByIdAlone;
        HasOtherCluster = dice.Chance(0.1) || mistake == Mistake.ClustersShareAStore;
        HasPurges = dice.Chance(0.2) || mistake is Mistake.PurgeByAWrongClock or Mistake.ExpiredPurgedAtOnce or Mistake.LogAgedByItsWriter;
        Backups = Some(dice, 2);
        (Services, Cuts) = mistake == Mistake.ServiceNeverReconnects ? (2, 8) : (Services, Cuts);
        CallLoss = Loss / 5;
        if (mistake == Mistake.FetchesOnAfterALostAnswer)
        {
            (Silos, Services, Duration, CallLoss) = (2, 3, TimeSpan.FromSeconds(20), 0.05);
            (Crashes, Restarts, Outages, Cuts) = (0, 0, 0, 0);
        }

        SilentLinks = Services > 0 ? Some(dice, 4) : 0;
        SlowLinks = dice.Chance(0.8) ? 0 : 0.3;
        Lies = mistake switch
        {
            Mistake.WaitsForOtherApps => [Lie.ComesAndGoes],
            Mistake.SilenceTakenForABreak => [Lie.NeverConfirms],
            Mistake.RowStruckByAStranger or Mistake.IncarnationTakenOver or Mistake.StrangersRowRenewed => [Lie.IsSomebodyElse, Lie.IsSomebodyElse],
            _ => [.. Enum.GetValues<Lie>().Where(_ => dice.Chance(0.1))],
        };
        if (HasPurges)
        {
            // How long things are kept must make up for how far clocks are apart.
            (WallJumps, Drift, Offset) = (0, Math.Min(Drift, 0.04), TimeSpan.FromSeconds(1));
        }

        ShortLived = HasPurges ? 0.2 : 0;
        if (mistake == Mistake.ExpiredPurgedAtOnce)
        {
            (Offset, PushLoss, ShortLived, Services, Duration) = (TimeSpan.FromSeconds(5), 0.95, 0.8, 0, TimeSpan.FromSeconds(16));
        }

        if (dice.Chance(0.03) || mistake == Mistake.RelayNotTold)
        {
            // Made for relays: silos that are forgotten, registrations that fail, and no pushes to tell what nobody has read.
            (Silos, Services, Duration, Crashes, Pauses, Loss, PushLoss) = (2, 3, TimeSpan.FromSeconds(20), 0, 10, 0.15, 0.95);
        }
        else if (dice.Chance(0.02) || mistake == Mistake.CursorOlderThanTheLog)
        {
            // Made for the log's purge: nobody is there to strike the row of one that is silent for longer than the log is kept.
            (Silos, Services, Duration, HasSilence, HasPurges) = (2, 0, TimeSpan.FromSeconds(45), true, true);
            (Crashes, Restarts, Pauses, Outages, Cuts, Loss) = (0, 0, 0, 0, 0, 0);
            (WallJumps, Sleeps, Drift, Offset) = (0, 0, 0.02, TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>Some services are Orleans clients.</summary>
    public bool HasTunnels { get; init; }

    /// <summary>Of calls and answers of services that are Orleans clients.</summary>
    public double CallLoss { get; set; }

    /// <summary>How many of their calls come twice, and how many reach another silo.</summary>
    public double CallsAstray { get; set; } = 0.001;

    /// <summary>By dice of its own, so that seeds mean in other worlds what they meant before there were tunnels.</summary>
    public static bool ChooseTunnels(ulong seed, Mistake mistake) => mistake == Mistake.FetchesOnAfterALostAnswer || new Dice(seed ^ 0x747A_0000_0000).Chance(0.4);

    /// <summary>Sessions' rows are written, and database checks are answered from what is remembered of them.</summary>
    public bool HasRows { get; init; }

    /// <summary>By dice of its own, as above.</summary>
    public static bool ChooseRows(ulong seed, Mistake mistake) =>
        mistake is Mistake.ToldBeforeTheWrite or Mistake.RowNeverReadAgain or Mistake.ChangeTakenFromMemory || new Dice(seed ^ 0x6F05_0000_0000).Chance(0.15);

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

    /// <summary>One hears nothing for longer than the log is kept.</summary>
    public bool HasSilence { get; }

    /// <summary>Copies of the database that somebody makes while it is in use.</summary>
    public int Backups { get; }

    /// <summary>Connections that are dead, and neither side knows.</summary>
    public int SilentLinks { get; }

    /// <summary>How many connections are slow.</summary>
    public double SlowLinks { get; set; }

    public IReadOnlyList<Lie> Lies { get; }

    public RelayLimits Limits { get; } = new(Capacity: 20, PerApp: 4);

    public bool HasTickets { get; }

    /// <summary>Tenants and apps come and go.</summary>
    public bool HasRemovals { get; }

    /// <summary>Some name sessions of tenants and apps that are not theirs.</summary>
    public bool HasForeigners { get; }

    public bool HasOtherCluster { get; }

    public bool HasPurges { get; }

    /// <summary>How many sessions expire within seconds.</summary>
    public double ShortLived { get; }

    /// <summary>How long expired sessions stay in the store.</summary>
    public TimeSpan KeepExpired { get; } = TimeSpan.FromSeconds(6);

    /// <summary>How long entries stay in the log.</summary>
    public TimeSpan KeepLog { get; } = TimeSpan.FromSeconds(12);

    /// <summary>How long a holder may have heard nothing and go on from where it was.</summary>
    public TimeSpan LongestSilence { get; } = TimeSpan.FromSeconds(8);

    /// <summary>Of a wall clock, at most.</summary>
    public TimeSpan Offset { get; } = TimeSpan.FromSeconds(5);

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
