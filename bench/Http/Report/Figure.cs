using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Report;

/// <summary>One line of the report.</summary>
internal sealed record Figure
{
    public required string Engine { get; init; }

    public required string Scenario { get; init; }

    public required int Concurrency { get; init; }

    public required double PerSecond { get; init; }

    /// <summary>Milliseconds.</summary>
    public required double P50 { get; init; }

    /// <summary>Milliseconds.</summary>
    public required double P99 { get; init; }

    public required int Operations { get; init; }

    /// <summary>Processor seconds of 1,000 operations: the measured server, its database, this process.</summary>
    public double? ServerCpu { get; init; }

    public double? DatabaseCpu { get; init; }

    public double? GeneratorCpu { get; init; }

    /// <summary>Cores that processes with no part in the run kept busy meanwhile.</summary>
    public double? OtherCores { get; init; }

    /// <summary>Megabytes resident afterwards.</summary>
    public double? Resident { get; init; }

    public static Figure Of(string engine, string scenario, int concurrency, Latencies latencies) => new()
    {
        Engine = engine,
        Scenario = scenario,
        Concurrency = concurrency,
        PerSecond = latencies.PerSecond,
        P50 = latencies.Percentile(0.5),
        P99 = latencies.Percentile(0.99),
        Operations = latencies.Count,
    };
}
