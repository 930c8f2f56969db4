using System.Diagnostics;
using System.Security.Cryptography;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Http.Servers;

/// <summary>The real executable, with default settings apart from the store, a free port and an API key.</summary>
internal static class GridServer
{
    /// <param name="folder">Where it runs.</param>
    /// <param name="postgreSql">Null: an SQLite file in the folder.</param>
    /// <param name="encryptionKey">The same for each silo of a cluster; null: a new one.</param>
    /// <param name="gateway">Port for Orleans clients; 0: closed.</param>
    /// <param name="settings">More of them, as environment variables.</param>
    public static Task<ServerProcess> StartAsync(
        string folder, string? postgreSql, string? encryptionKey = null, int gateway = 0, IReadOnlyDictionary<string, string>? settings = null)
    {
        var command = (Environment.GetEnvironmentVariable("GRID_COMMAND") ?? $"dotnet {BuiltExecutable()} serve").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder };
        start.Environment["Grid__Core__Port"] = "0";
        start.Environment["Grid__Front__Enabled"] = "false";
        start.Environment["Grid__Core__ApiKeys"] = CoreRequests.ApiKey;
        start.Environment["Grid__Store__SqlitePath"] = Path.Combine(folder, "grid.db");
        if (postgreSql is not null)
        {
            start.Environment["Grid__Store__ConnectionString"] = postgreSql;
            start.Environment["Grid__Keys__EncryptionKey"] = encryptionKey ?? NewKey();
            start.Environment["Grid__Cluster__GatewayPort"] = gateway.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return ServerProcess.StartAsync(start, "Ready.");
    }

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static string BuiltExecutable()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
            {
                var built = Path.Combine(folder.FullName, "src", "Silo", "bin", "Release", "net10.0", "Grid.Silo.dll");
                return File.Exists(built) ? built : throw new FileNotFoundException("Build it first: dotnet build src/Silo -c Release", built);
            }
        }

        throw new FileNotFoundException("Not inside the repository; set GRID_COMMAND to the command that serves.");
    }
}
