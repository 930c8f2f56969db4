using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Grid.TestKit;

/// <summary>A throw-away PostgreSQL on loopback, run as a user that is not root; gone with its data when disposed.</summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string User = "postgres";

    private readonly string _folder;
    private readonly string _binaries;
    private readonly int _port;
    private readonly string _address;
    private readonly string _options;
    private readonly SmallDisk? _disk;

    private PostgreSqlServer(string folder, string binaries, int port, string address, string options, SmallDisk? disk) =>
        (_folder, _binaries, _port, _address, _options, _disk) = (folder, binaries, port, address, options, disk);

    /// <summary>Why there is none, if <see cref="TryStartAsync"/> returned null.</summary>
    public static string? Missing { get; private set; }

    /// <summary>Starts a server with extra settings (<c>name=value</c>); null if this machine has no binaries (see <see cref="Missing"/>).</summary>
    public static Task<PostgreSqlServer?> TryStartAsync(params string[] settings) => TryStartOnAsync("127.0.0.1", settings);

    /// <summary>As <see cref="TryStartAsync"/>, on this machine's other address; everybody who reaches it may connect.</summary>
    public static Task<PostgreSqlServer?> TryStartOnAsync(string address, params string[] settings) => TryStartOnAsync(address, null, settings);

    /// <summary>As above, with its data on a disk that can be filled. The disk is gone with the server.</summary>
    public static async Task<PostgreSqlServer?> TryStartOnAsync(string address, SmallDisk? disk, params string[] settings)
    {
        var binaries = FindBinaries();
        if (binaries is null)
        {
            Missing = "no PostgreSQL server binaries of version 15 or later; ./test installs them where it may";
            return null;
        }

        var folder = disk?.Folder ?? Directory.CreateTempSubdirectory("grid-pg-").FullName;
        if (IsRoot)
        {
            await RunAsync("chown", [User, folder]);
        }

        // Of a small disk its log is a small part.
        string[] small = disk is null ? [] : ["--wal-segsize=1"];
        settings = disk is null ? settings : [.. settings, "min_wal_size=4MB", "max_wal_size=16MB"];
        var server = new PostgreSqlServer(folder, binaries, FreePort(), address, string.Join(' ', settings.Select(s => $"-c {s}")), disk);
        await server.RunServerToolAsync("initdb", ["-D", server.Data, "-U", User, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C", .. small]);
        if (address != "127.0.0.1")
        {
            await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), $"host all all {address}/24 trust\n");
        }

        await server.StartAsync();
        return server;
    }

    /// <summary>A fresh, empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"grid_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <summary>Ends it at once, as a crash does, and starts it again.</summary>
    public async Task CrashAndRestartAsync()
    {
        await CrashAsync();
        await RestartAsync();
    }

    /// <summary>Ends it at once, as a crash does.</summary>
    public Task CrashAsync() => RunServerToolAsync("pg_ctl", ["-D", Data, "-m", "immediate", "-w", "stop"]);

    /// <summary>Starts it again after <see cref="CrashAsync"/>.</summary>
    public Task RestartAsync() => StartAsync();

    /// <summary>Ends it as an administrator does who does not wait for clients, and starts it again.</summary>
    public async Task EndAndRestartAsync()
    {
        await RunServerToolAsync("pg_ctl", ["-D", Data, "-m", "fast", "-w", "-t", "60", "stop"]);
        await StartAsync();
    }

    /// <summary>Whether it runs; with a full disk it may have ended by itself.</summary>
    public async Task<bool> RunsAsync()
    {
        try
        {
            await RunServerToolAsync("pg_ctl", ["-D", Data, "status"]);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Writes half a megabyte into its log, which is part of its disk.</summary>
    /// <returns>Whether that was possible.</returns>
    public async Task<bool> TryFillLogAsync()
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false;Timeout=5");
            await connection.OpenAsync();
            await using var write = new NpgsqlCommand("SELECT pg_logical_emit_message(true, 'grid', repeat('x', 500000))", connection);
            await write.ExecuteNonQueryAsync();
            return true;
        }
        catch (Exception failure) when (failure is NpgsqlException or IOException)
        {
            return false;
        }
    }

    /// <summary>Holds it still with every process that works for it (<c>STOP</c>), or lets it go on (<c>CONT</c>).</summary>
    public async Task SignalAsync(string name)
    {
        // Itself first: then no more of them are made.
        var server = File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();
        await SendAsync([server]);
        await SendAsync([.. ChildrenOf(server)]);

        async Task SendAsync(string[] processes)
        {
            if (processes.Length > 0)
            {
                using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{name}", .. processes]) { RedirectStandardError = true })!;
                await kill.StandardError.ReadToEndAsync();
                await kill.WaitForExitAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (await RunsAsync())
        {
            // Whoever is held still does not end.
            await SignalAsync("CONT");
            await RunServerToolAsync("pg_ctl", ["-D", Data, "-m", "immediate", "-w", "stop"]);
        }

        if (_disk is not null)
        {
            await _disk.DisposeAsync();
            return;
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsRoot => Environment.UserName == "root";

    private string Data => Path.Combine(_folder, "data");

    private string ConnectionString(string database) => $"Host={_address};Port={_port};Username={User};Database={database}";

    private Task StartAsync() => RunServerToolAsync(
        "pg_ctl",
        ["-D", Data, "-w", "-t", "60", "-l", Path.Combine(_folder, "log"), "-o", $"-p {_port} -k {_folder} -c listen_addresses={_address} -c max_connections=200 {_options}", "start"]);

    // Linux: the fourth field of /proc/N/stat, behind the name in parentheses.
    private static IEnumerable<string> ChildrenOf(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (IOException)
            {
                // It has ended.
                continue;
            }

            if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == parent)
            {
                yield return Path.GetFileName(folder);
            }
        }
    }

    private Task RunServerToolAsync(string tool, string[] arguments)
    {
        var path = Path.Combine(_binaries, tool);
        return IsRoot ? RunAsync("runuser", ["-u", User, "--", path, .. arguments]) : RunAsync(path, arguments);
    }

    private static string? FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        return !Directory.Exists(root) ? null : Directory.GetDirectories(root)
            .Where(d => int.TryParse(Path.GetFileName(d), out var version) && version >= 15 && File.Exists(Path.Combine(d, "bin", "initdb")))
            .OrderByDescending(d => int.Parse(Path.GetFileName(d), System.Globalization.CultureInfo.InvariantCulture))
            .Select(d => Path.Combine(d, "bin")).FirstOrDefault();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static async Task RunAsync(string file, string[] arguments)
    {
        // Output goes nowhere: a server started by pg_ctl would keep an inherited pipe open for ever.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", file, .. arguments]) { WorkingDirectory = "/tmp" };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{file} ended with {process.ExitCode}.");
        }
    }
}
