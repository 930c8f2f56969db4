using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Grid.TestKit;

/// <summary>A PgBouncer in transaction mode before a PostgreSQL of the test's, on loopback; run as a user that is not root.</summary>
public sealed class PgBouncer : IDisposable
{
    private const string Binary = "/usr/sbin/pgbouncer";
    private const string User = "postgres";

    private readonly Process _process;
    private readonly string _folder;
    private readonly int _port;

    private PgBouncer(Process process, string folder, int port) => (_process, _folder, _port) = (process, folder, port);

    /// <summary>Why there is none, if <see cref="TryStartAsync"/> returned null.</summary>
    public static string Missing => "no pgbouncer; ./test installs it where it may";

    /// <summary>Starts one before the server of a connection string; null if this machine has none (see <see cref="Missing"/>).</summary>
    /// <param name="database">Of the server behind it.</param>
    /// <param name="serverConnections">That it opens to one database at most; clients share them.</param>
    /// <param name="more">Another line of its configuration.</param>
    public static async Task<PgBouncer?> TryStartAsync(string database, int serverConnections = 6, string more = "")
    {
        if (!File.Exists(Binary))
        {
            return null;
        }

        var server = new NpgsqlConnectionStringBuilder(database);
        var folder = Directory.CreateTempSubdirectory("grid-bouncer-").FullName;
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), $"\"{User}\" \"\"\n");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "ini"),
            $"""
            [databases]
            * = host={server.Host} port={server.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {folder}/users
            pool_mode = transaction
            default_pool_size = {serverConnections}
            max_client_conn = 500
            {more}
            """);
        string[] command = Environment.UserName == "root" ? ["runuser", "-u", User, "--", Binary, Path.Combine(folder, "ini")] : [Binary, Path.Combine(folder, "ini")];
        if (Environment.UserName == "root")
        {
            using var give = Process.Start("chown", ["-R", User, folder]);
            await give.WaitForExitAsync();
        }

        // Output goes nowhere: nobody reads the pipe.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", .. command]) { WorkingDirectory = folder };
        var bouncer = new PgBouncer(Process.Start(start)!, folder, port);
        await bouncer.UntilItAnswersAsync(database);
        return bouncer;
    }

    /// <summary>A connection string of the server behind it, led through it.</summary>
    public string Through(string database) => new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = _port }.ToString();

    public void Dispose()
    {
        // runuser passes the signal on, and ends when its child has ended.
        using (var end = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            end.WaitForExit();
        }

        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task UntilItAnswersAsync(string database)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Through(database) + ";Pooling=false;Timeout=5");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (!_process.HasExited && patience.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(50);
            }
        }
    }
}
