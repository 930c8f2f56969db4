using System.Diagnostics;

namespace Grid.Bench.Http.Servers;

/// <summary>How much of the machine went to processes with no part in what is measured, from <see cref="Begin"/> to <see cref="End"/>.</summary>
internal sealed class OtherCores
{
    private readonly Func<double> _serversCpuSeconds;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly double _before;

    private OtherCores(Func<double> serversCpuSeconds)
    {
        _serversCpuSeconds = serversCpuSeconds;
        _before = Now();
    }

    /// <param name="serversCpuSeconds">Processor time so far of the servers that take part; this process is counted anyway.</param>
    public static OtherCores Begin(Func<double> serversCpuSeconds) => new(serversCpuSeconds);

    /// <summary>Cores, on average.</summary>
    public double End() => Math.Max(0, (Now() - _before) / Stopwatch.GetElapsedTime(_began).TotalSeconds);

    private double Now() => ProcessUsage.MachineCpuSeconds() - ProcessUsage.CpuSeconds(Environment.ProcessId) - _serversCpuSeconds();
}
