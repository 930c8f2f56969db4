using System.Net;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Servers;

namespace Grid.Bench.Http;

/// <summary>Runs one scenario against one server and takes its figures.</summary>
internal sealed class Measured(string engine, ServerProcess server, int? postmaster, RunSettings settings, List<Figure> figures)
{
    /// <summary>A fresh process compiles its hot paths again with what it has learned; that shall be over before anything is measured.</summary>
    public void WarmUp(int concurrency, Func<IScenario> create)
    {
        using var load = new LoadGenerator(server.EndPoint, concurrency);
        load.Run(create(), settings.FirstWarmUp);
    }

    public void For(string scenario, int concurrency, Func<IScenario> create)
    {
        using var load = new LoadGenerator(server.EndPoint, concurrency);
        var body = create();
        load.Run(body, settings.WarmUp);
        Take(scenario, concurrency, () => load.Run(body, settings.Measure));
    }

    public void Once(string scenario, int concurrency, IScenario body)
    {
        using var load = new LoadGenerator(server.EndPoint, concurrency);
        Take(scenario, concurrency, () => load.Run(body, Timeout.InfiniteTimeSpan));
    }

    /// <summary>Unmeasured work, such as making sessions.</summary>
    public static T Prepare<T>(IPEndPoint server, T body)
        where T : IScenario
    {
        using var load = new LoadGenerator(server, 32);
        load.Run(body, Timeout.InfiniteTimeSpan);
        return body;
    }

    private void Take(string scenario, int concurrency, Func<Latencies> run)
    {
        var before = (Server: ProcessUsage.CpuSeconds(server.Id), Database: Database(), Own: ProcessUsage.CpuSeconds(Environment.ProcessId));
        var strangers = OtherCores.Begin(() => ProcessUsage.CpuSeconds(server.Id) + Database());
        var latencies = run();
        var cores = strangers.End();
        var per = 1000.0 / latencies.Count;
        var serverCpu = ProcessUsage.CpuSeconds(server.Id) - before.Server;
        var databaseCpu = Database() - before.Database;
        var ownCpu = ProcessUsage.CpuSeconds(Environment.ProcessId) - before.Own;
        var figure = Figure.Of(engine, scenario, concurrency, latencies) with
        {
            ServerCpu = serverCpu * per,
            DatabaseCpu = postmaster is null ? null : databaseCpu * per,
            GeneratorCpu = ownCpu * per,
            OtherCores = cores,
            Resident = ProcessUsage.ResidentMegabytes(server.Id),
        };
        figures.Add(figure);
        Console.Error.WriteLine($"{engine,-10} {scenario,-16} c={concurrency,-3} {figure.PerSecond,10:F0}/s  p50 {figure.P50:F2} ms  p99 {figure.P99:F2} ms  {figure.Operations} ops, others {figure.OtherCores:F1} cores");
    }

    private double Database() => postmaster is { } pid ? ProcessUsage.PostgreSqlCpuSeconds(pid) : 0;
}
