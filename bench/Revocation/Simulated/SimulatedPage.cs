using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>Revocation lag with a thousand and ten thousand services, in virtual time: what it comes to, and what it comes from.</summary>
internal static class SimulatedPage
{
    private const ulong Seed = 1;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static void Write(string[] args)
    {
        var smoke = args.Contains("--smoke");
        int[] sizes = smoke ? [20, 50] : [1_000, 10_000];
        var usual = new LagModel { Holders = sizes[0], Seconds = 5 };
        if (smoke && LagWorld.Run(usual, Seed).Hash != LagWorld.Run(usual, Seed).Hash)
        {
            throw new InvalidOperationException("The same seed gives another story.");
        }

        var watch = Stopwatch.StartNew();
        var page = new StringBuilder();
        page.AppendLine("# Revocation lag with many services, simulated").AppendLine();
        page.AppendLine(Invariant, $"Virtual time: the figures depend on the model below and the seed ({Seed}), not on the machine. Command: `dotnet run -c Release --project bench/Revocation -- --simulate`. The product's own `Holder`, `HolderLoop`, `HolderRelay`, `Revoker` and `Reaper` on the scheduler and the store of the protocol's simulator (`tests/Revocation.Tests/Simulation`).").AppendLine();
        Describe(page, usual);

        page.AppendLine("## Lag").AppendLine();
        page.AppendLine("From the commit being known to the acknowledgement: every service has confirmed, or its lease has run out. All services belong to the app whose sessions are revoked.").AppendLine();
        Head(page, "world");
        foreach (var holders in sizes)
        {
            var model = usual with { Holders = holders, Seconds = smoke ? 5 : holders > 1_000 ? 60 : 120 };
            Line(page, $"{holders:N0} services", model);
            Line(page, $"{holders:N0}, all near, none pauses, nothing lost", Calm(model));
            Line(page, $"{holders:N0}, one of them crashes each minute", model with { CrashEvery = holders / 1_440.0, Seconds = smoke ? 5 : holders > 1_000 ? 120 : 600, RevocationsPerSecond = 1 });
        }

        page.AppendLine().AppendLine("`waited out`: revocations that met a service which had vanished without goodbye and waited until its lease had run out, W = 12.75 s after the commit at most.").AppendLine();
        var most = usual with { Holders = sizes[^1], Seconds = smoke ? 5 : 30 };
        page.AppendLine(Invariant, $"## What dominates with {most.Holders:N0} services").AppendLine();
        page.AppendLine("The first world without one of its troubles, then the second without one of its costs.").AppendLine();
        Head(page, "without");
        Line(page, "services far away", most with { Far = 0 });
        Line(page, "loss of messages", most with { Loss = 0 });
        Line(page, "pauses of services", most with { PauseEvery = 0 });
        Line(page, "all three, and the silos' work for pushes and renewals", Calm(most) with { Push = 0, Renewal = 0 });
        Line(page, "all three, and reading the registry", Calm(most) with { ListedRow = 0, ReadRow = 0 });

        page.AppendLine().AppendLine(Invariant, $"## How many revocations a second, with {most.Holders:N0} services").AppendLine();
        page.AppendLine("All near, none pauses, nothing lost.").AppendLine();
        Head(page, "revocations a second");
        foreach (var rate in smoke ? [2.0] : new[] { 0.5, 4, 8 })
        {
            Line(page, rate.ToString(Invariant), Calm(most) with { RevocationsPerSecond = rate });
        }

        Line(page, "8, with six silos", Calm(most) with { Silos = 6, RevocationsPerSecond = smoke ? 2 : 8 });
        page.AppendLine();
        Console.Write(page);
        Console.Error.WriteLine(string.Create(Invariant, $"{watch.Elapsed.TotalSeconds:N0} s."));
        if (Array.IndexOf(args, "--output") is var at and >= 0)
        {
            File.WriteAllText(args[at + 1], page.ToString());
        }
    }

    private static LagModel Calm(LagModel model) => model with { Far = 0, Loss = 0, PauseEvery = 0 };

    private static void Describe(StringBuilder page, LagModel model)
    {
        page.AppendLine("| the model | |").AppendLine("|---|---|");
        page.AppendLine(Invariant, $"| silos, cores of each, cores of the database | {model.Silos}, {model.Cores}, {model.Cores} |");
        page.AppendLine(Invariant, $"| network, one way | {model.Network} ms median, p99 four times that (logarithmically normal) |");
        page.AppendLine(Invariant, $"| lost and sent again after {model.SentAgainAfter} ms, doubling | {model.Loss:P2} of messages |");
        page.AppendLine(Invariant, $"| services far away | {model.Far:P0}, {model.FarBy} ms more each way |");
        page.AppendLine(Invariant, $"| a service stands still | every {model.PauseEvery} s, for {model.Pause} ms (means, exponential) |");
        page.AppendLine(Invariant, $"| one entry to one service and its confirmation | {model.Push} µs of a silo's core |");
        page.AppendLine(Invariant, $"| one service's renewal, once a second | {model.Renewal} µs of a silo's core, {model.RenewedRow} µs of the database's |");
        page.AppendLine(Invariant, $"| one row of the registry, all of which each revocation reads | {model.ListedRow} µs of the database's core, {model.ReadRow} µs of the silo's |");
        page.AppendLine(Invariant, $"| a commit | {model.Flush} ms to be flushed |");
        page.AppendLine(Invariant, $"| revocations | {model.RevocationsPerSecond} a second, at random |").AppendLine();
        page.AppendLine(Invariant, $"Where the costs are from: {LagModel.MeasuredBy}.").AppendLine();
    }

    private static void Head(StringBuilder page, string what) => page.AppendLine(Invariant, $"| {what} | n | p50 ms | p99 ms | max ms | waited out | incarnations lost | silos busy | database busy |").AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");

    private static void Line(StringBuilder page, string name, LagModel model)
    {
        var figures = LagWorld.Run(model, Seed);
        var line = string.Create(Invariant, $"| {name} | {figures.Milliseconds.Length} | {figures.Percentile(0.5):N1} | {figures.Percentile(0.99):N1} | {figures.Milliseconds[^1]:N1} | {figures.WaitedOut} | {figures.Lost} | {figures.Silos:P0} | {figures.Database:P0} |");
        page.AppendLine(line);
        Console.Error.WriteLine(line);
    }
}
