using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Bench.Http.Servers;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Grid.Bench.Scale;

/// <summary>A silo in a process of its own that comes to know one session after the other: what it weighs then.</summary>
internal static class MemoryRun
{
    public const string Verb = "memory";

    private const int Asked = 256;

    public static async Task RunAsync(StringBuilder page, FilledStore store, string folder, ScaleSettings settings)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Verb, store.Connection, store.Key, string.Join(',', settings.Sizes)]) { WorkingDirectory = folder };

        // As the silo has it.
        start.Environment["DOTNET_gcServer"] = "1";
        start.Environment["DOTNET_gcConcurrent"] = "1";
        using var child = await ServerProcess.StartAsync(start, "http://127.0.0.1:1/ measured", TimeSpan.FromMinutes(5));
        page.AppendLine("## Memory of a silo that knows so many sessions").AppendLine();
        page.AppendLine("A silo inside a process (`AddGridSilo`), as it comes to know the sessions by reading them from PostgreSQL; server garbage collector; `Grid:Revocation:RememberedSessions` at twice the number. Heap after a full collection, with what a resident process keeps beside it.").AppendLine();
        page.AppendLine("| sessions known | heap MB | heap, bytes per session | resident MB | sessions read a second |").AppendLine("|--:|--:|--:|--:|--:|");
        foreach (var size in settings.Sizes.Prepend(0))
        {
            page.AppendLine(child.Line(string.Create(CultureInfo.InvariantCulture, $"| {size:N0} |")));
        }

        page.AppendLine();
    }

    /// <summary>The child.</summary>
    public static async Task ServeAsync(string connection, string key, int[] sizes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.AddGridSilo(grid =>
        {
            grid.ConnectionString = connection;
            grid.Settings["Grid:Keys:EncryptionKey"] = key;
            grid.Settings["Grid:Revocation:RememberedSessions"] = (2 * sizes.Max()).ToString(CultureInfo.InvariantCulture);
        });
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        var sessions = app.Services.GetRequiredService<IGridSessions>();
        var empty = Heap();
        Tell(0, empty, empty, 0);
        var known = 0;
        foreach (var size in sizes)
        {
            var began = Stopwatch.GetTimestamp();
            var before = known;
            await using (var handles = NpgsqlDataSource.Create(connection))
            {
                await using var command = handles.CreateCommand($"SELECT handle FROM grid_session ORDER BY handle OFFSET {known} LIMIT {size - known}");
                await using var rows = await command.ExecuteReaderAsync();
                await Parallel.ForEachAsync(Read(rows), new ParallelOptions { MaxDegreeOfParallelism = Asked }, async (handle, cancel) =>
                {
                    if (!await sessions.IsActiveAsync(new SessionHandle(handle, TenantKey.PublicId).ToString(), cancel))
                    {
                        throw new InvalidOperationException($"{handle} is not active.");
                    }
                });
            }

            known = size;
            var rate = (known - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            Tell(known, Heap(), empty, rate);
        }

        Console.Out.WriteLine("http://127.0.0.1:1/ measured");
        await app.WaitForShutdownAsync();
    }

    private static async IAsyncEnumerable<Guid> Read(NpgsqlDataReader rows)
    {
        while (await rows.ReadAsync())
        {
            yield return rows.GetGuid(0);
        }
    }

    private static long Heap()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static void Tell(int known, long heap, long empty, double perSecond) => Console.Out.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {known:N0} | {heap / 1e6:F0} | {(known == 0 ? "" : ((heap - empty) / (double)known).ToString("F0", CultureInfo.InvariantCulture))} | {ProcessUsage.ResidentMegabytes(Environment.ProcessId):F0} | {(known == 0 ? "" : perSecond.ToString("N0", CultureInfo.InvariantCulture))} |"));
}
