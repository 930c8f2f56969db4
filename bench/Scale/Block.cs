using Grid.Bench.Http.Load;
using Grid.Bench.Http.Servers;

namespace Grid.Bench.Scale;

/// <summary>One measurement: so many operations, how long each took, and the processor time of silos and database.</summary>
internal sealed record Block(Latencies Times, double SiloCpu, double DatabaseCpu)
{
    public double PerSecond => Times.PerSecond;

    /// <summary>Milliseconds of processor time for one operation, silos and database.</summary>
    public double Cpu => 1000 * (SiloCpu + DatabaseCpu) / Math.Max(1, Times.Count);

    public static Block Of(IReadOnlyCollection<ServerProcess> silos, int? postmaster, Func<Latencies> run)
    {
        var (silo, database) = (Silos(), Database());
        var times = run();
        return new Block(times, Silos() - silo, Database() - database);

        double Silos() => silos.Sum(process => ProcessUsage.CpuSeconds(process.Id));

        double Database() => postmaster is { } pid ? ProcessUsage.PostgreSqlCpuSeconds(pid) : 0;
    }
}

/// <summary>Several of them, in turns with others.</summary>
internal sealed class Blocks
{
    private readonly List<Block> _blocks = [];

    public double PerSecond => Median(block => block.PerSecond);

    public double P50 => Median(block => block.Times.Percentile(0.5));

    public double P99 => Median(block => block.Times.Percentile(0.99));

    /// <summary>Of all of them, since processor time is counted in steps of 10 ms.</summary>
    public double SiloCpu => 1000 * _blocks.Sum(block => block.SiloCpu) / Count;

    public double DatabaseCpu => 1000 * _blocks.Sum(block => block.DatabaseCpu) / Count;

    public double Cpu => SiloCpu + DatabaseCpu;

    public int Count => Math.Max(1, _blocks.Sum(block => block.Times.Count));

    public void Add(Block block) => _blocks.Add(block);

    private double Median(Func<Block, double> of) => _blocks.Select(of).Order().ElementAt(_blocks.Count / 2);
}
