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

    private PostgreSqlServer(string folder, string binaries, int port, string address) =>
        (_folder, _binaries, _port, _address) = (folder, binaries, port, address);

    /// <summary>Why there is none, if <see cref="TryStartAsync"/> returned null.</summary>
    public static string? Missing { get; private set; }

    /// <summary>Starts a server with extra settings (<c>name=value</c>); null if this machine has no binaries (see <see cref="Missing"/>).</summary>
    public static Task<PostgreSqlServer?> TryStartAsync(params string[] settings) => TryStartOnAsync("127.0.0.1", settings);

    /// <summary>As <see cref="TryStartAsync"/>, on this machine's other address; everybody who reaches it may connect.</summary>
    public static async Task<PostgreSqlServer?> TryStartOnAsync(string address, params string[] settings)
    {
        var binaries = FindBinaries();
        if (binaries is null)
        {
            Missing = "no PostgreSQL server binaries of version 15 or later; ./test installs them where it may";
            return null;
        }

        var folder = Directory.CreateTempSubdirectory("grid-pg-").FullName;
        if (IsRoot)
        {
            await RunAsync("chown", [User, folder]);
        }

        var server = new PostgreSqlServer(folder, binaries, FreePort(), address);
        await server.RunServerToolAsync("initdb", ["-D", server.Data, "-U", User, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]);
        if (address != "127.0.0.1")
        {
            await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), $"host all all {address}/24 trust\n");
        }

        var options = string.Join(' ', settings.Select(s => $"-c {s}"));
        await server.RunServerToolAsync(
            "pg_ctl",
            ["-D", server.Data, "-w", "-t", "60", "-l", Path.Combine(folder, "log"), "-o", $"-p {server._port} -k {folder} -c listen_addresses={address} -c max_connections=200 {options}", "start"]);
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
    public async Task RestartAsync()
    {
        await RunServerToolAsync("pg_ctl", ["-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-o", $"-p {_port} -k {_folder} -c listen_addresses={_address} -c max_connections=200", "start"]);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await RunServerToolAsync("pg_ctl", ["-D", Data, "-m", "immediate", "-w", "stop"]);
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsRoot => Environment.UserName == "root";

    private string Data => Path.Combine(_folder, "data");

    private string ConnectionString(string database) => $"Host={_address};Port={_port};Username={User};Database={database}";

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
