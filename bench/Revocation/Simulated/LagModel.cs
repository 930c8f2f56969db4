using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>What a simulated cluster, its network and its costs are like.</summary>
internal sealed record LagModel
{
    /// <summary>Where the costs are from.</summary>
    public const string MeasuredBy = "`bench/Scale --scenario holders` with 600 services, 21 and 17.5 µs, rounded up; the product's statements on a registry of 10,000 rows, 15 to 21 and 0.6 to 1.6 µs a row; on a machine that others used too";

    public required int Holders { get; init; }

    public int Silos { get; init; } = 3;

    /// <summary>Of each silo, and of the database.</summary>
    public int Cores { get; init; } = 2;

    /// <summary>Virtual seconds during which revocations are begun.</summary>
    public int Seconds { get; init; } = 120;

    public double RevocationsPerSecond { get; init; } = 2;

    /// <summary>One way, milliseconds: logarithmically normal, p99 four times the median. Zones of one region.</summary>
    public double Network { get; init; } = 0.25;

    /// <summary>Share of messages that are lost and sent again.</summary>
    public double Loss { get; init; } = 0.0001;

    /// <summary>The shortest retransmission timeout of Linux.</summary>
    public double SentAgainAfter { get; init; } = 200;

    /// <summary>Share of services that are far away.</summary>
    public double Far { get; init; } = 0.01;

    /// <summary>Milliseconds more each way.</summary>
    public double FarBy { get; init; } = 40;

    /// <summary>How often a service stands still (garbage collection, a busy machine): mean seconds between two times; 0: never.</summary>
    public double PauseEvery { get; init; } = 60;

    /// <summary>Mean milliseconds, exponentially distributed.</summary>
    public double Pause { get; init; } = 30;

    /// <summary>Mean days between two crashes of a service, without goodbye; 0: never.</summary>
    public double CrashEvery { get; init; }

    /// <summary>Seconds until another one takes its place.</summary>
    public double StartsAgainAfter { get; init; } = 5;

    /// <summary>Microseconds of a silo's processor for one entry to one service, its confirmation included.</summary>
    public double Push { get; init; } = 25;

    /// <summary>Microseconds of a silo's processor for one service's renewal.</summary>
    public double Renewal { get; init; } = 20;

    /// <summary>Microseconds of the database's processor for one renewed row.</summary>
    public double RenewedRow { get; init; } = 15;

    /// <summary>Microseconds of the database's processor for one row of the registry that is read.</summary>
    public double ListedRow { get; init; } = 1;

    /// <summary>Microseconds of a silo's processor for the same row.</summary>
    public double ReadRow { get; init; } = 1;

    /// <summary>Milliseconds for a commit to be flushed.</summary>
    public double Flush { get; init; } = 1;

    public TimeSpan Latency(Dice dice, bool isFar)
    {
        // Box and Muller; sigma 0.6 puts p99 at e^(2.33 * 0.6) = 4 times the median.
        var normal = Math.Sqrt(-2 * Math.Log(1 - dice.Unit())) * Math.Cos(2 * Math.PI * dice.Unit());
        var milliseconds = Network * Math.Exp(0.6 * normal) * (Network > 0 ? 1 : 0);
        milliseconds += isFar ? FarBy : 0;
        for (var wait = SentAgainAfter; dice.Chance(Loss); wait *= 2)
        {
            milliseconds += wait;
        }

        return Milliseconds(milliseconds);
    }

    public static TimeSpan Milliseconds(double milliseconds) => TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond));

    public static TimeSpan Microseconds(double microseconds) => Milliseconds(microseconds / 1000);

    public static TimeSpan Exponential(Dice dice, double meanSeconds) => TimeSpan.FromSeconds(-Math.Log(1 - dice.Unit()) * meanSeconds);
}
