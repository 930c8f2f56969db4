using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grid.Bench.Http.Servers;
using Grid.TestKit;
using Npgsql;

namespace Grid.Bench.Scale;

/// <summary>All that was asked for, one scenario after the other.</summary>
internal static class ScaleRun
{
    public static async Task RunAsync(StringBuilder page, PostgreSqlServer? server, string folder, ScaleSettings settings)
    {
        if (server is null)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"PostgreSQL is left out: {PostgreSqlServer.Missing}.").AppendLine();
        }
        else
        {
            var postmaster = ProcessUsage.Postmaster(new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync()).Port);
            if (settings.Scenarios.Intersect(["sizes", "users", "purge", "memory"]).Any())
            {
                await StoresAsync(page, server, postmaster, folder, settings);
            }

            if (settings.Scenarios.Contains("silos"))
            {
                await TimedAsync("silos", () => SilosRun.RunAsync(page, server, postmaster, folder, settings));
            }

            if (settings.Scenarios.Contains("holders"))
            {
                await TimedAsync("holders", () => HoldersRun.RunAsync(page, server, postmaster, folder, settings));
            }
        }

        if (settings.Scenarios.Contains("sqlite"))
        {
            await TimedAsync("sqlite", () => SqliteAsync(page, folder, settings));
        }
    }

    // All sizes at the same time, each with a silo of its own, so that they can take turns.
    private static async Task StoresAsync(StringBuilder page, PostgreSqlServer server, int postmaster, string folder, ScaleSettings settings)
    {
        List<FilledStore> stores = [];
        try
        {
            await TimedAsync("filling", async () =>
            {
                foreach (var size in settings.Scenarios.Contains("sizes") ? settings.Sizes : [settings.Sizes[^1]])
                {
                    stores.Add(await FilledStore.StartAsync(Path.Combine(folder, $"{size}"), await server.CreateDatabaseAsync(), size, PurgeRun.SiloSettings));
                }
            });
            if (settings.Scenarios.Contains("sizes"))
            {
                await TimedAsync("sizes", () => SizesRun.RunAsync(page, "PostgreSQL", stores, postmaster, settings));
            }

            if (settings.Scenarios.Contains("users"))
            {
                await TimedAsync("users", () => UsersRun.RunAsync(page, stores[^1], postmaster, settings));
            }

            if (settings.Scenarios.Contains("purge"))
            {
                await TimedAsync("purge", () => PurgeRun.RunAsync(page, stores[^1], settings));
            }

            stores.ForEach(store => store.StopSilo());
            if (settings.Scenarios.Contains("memory"))
            {
                await TimedAsync("memory", () => MemoryRun.RunAsync(page, stores[^1], folder, settings));
            }
        }
        finally
        {
            stores.ForEach(store => store.Dispose());
        }
    }

    private static async Task SqliteAsync(StringBuilder page, string folder, ScaleSettings settings)
    {
        List<FilledStore> stores = [];
        try
        {
            foreach (var size in settings.Sizes)
            {
                stores.Add(await FilledStore.StartAsync(Path.Combine(folder, $"sqlite-{size}"), null, size, []));
            }

            await SizesRun.RunAsync(page, "SQLite", stores, null, settings with { Rounds = 1 });
        }
        finally
        {
            stores.ForEach(store => store.Dispose());
        }
    }

    private static async Task TimedAsync(string name, Func<Task> run)
    {
        var began = Stopwatch.GetTimestamp();
        await run();
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {Stopwatch.GetElapsedTime(began).TotalSeconds:N0} s"));
    }
}
