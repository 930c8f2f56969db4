using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Grid.Faults.Tests;

/// <summary>nginx before the silos, with <c>deploy/proxies/balance.conf</c>.</summary>
internal sealed class Balancer : IDisposable
{
    // Below those that the system gives to outgoing connections, which could take one between a silo's end and the next one's start.
    private const int FirstPort = 10_000;
    private const int LastPort = 32_000;

    // Not on every user's path.
    private const string Usual = "/usr/sbin/nginx";

    private readonly Process _process;

    private Balancer(Process process, int[] ports, Uri url) => (_process, Ports, Http) = (process, ports, new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(20) });

    /// <summary>Where it looks for the silos' core API.</summary>
    public int[] Ports { get; }

    public HttpClient Http { get; }

    /// <summary>Skips the test where there is no nginx.</summary>
    public static async Task<Balancer> StartAsync(string parent, int silos)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "nginx")).FullName;
        var ports = FreePorts(silos + 2);
        var balance = await File.ReadAllTextAsync(Path.Combine(Root(), "deploy", "proxies", "balance.conf"));
        for (var i = 0; i < silos; i++)
        {
            // No front is open here, and nobody asks it.
            balance = balance.Replace($"silo-{i + 1}:3567", $"127.0.0.1:{ports[i]}", StringComparison.Ordinal).Replace($"silo-{i + 1}:8080", $"127.0.0.1:{ports[i]}", StringComparison.Ordinal);
        }

        balance = balance.Replace("listen 3567;", $"listen 127.0.0.1:{ports[^1]};", StringComparison.Ordinal).Replace("listen 8080;", $"listen 127.0.0.1:{ports[^2]};", StringComparison.Ordinal);
        var kinds = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {folder}/{kind};\n"));
        var configuration = Path.Combine(folder, "main.conf");
        await File.WriteAllTextAsync(configuration, $"daemon off; pid {folder}/pid; error_log {folder}/log;\nevents {{ }}\nhttp {{\naccess_log off;\n{kinds}{balance}\n}}\n");
        File.SetUnixFileMode(parent, File.GetUnixFileMode(parent) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(File.Exists(Usual) ? Usual : "nginx", ["-e", $"{folder}/log", "-p", folder, "-c", configuration]))!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("no nginx; ./test installs it where it may");
            throw;
        }

        return new Balancer(process, ports, new Uri($"http://127.0.0.1:{ports[^1]}"));
    }

    public void Dispose()
    {
        Http.Dispose();
        using (var end = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            end.WaitForExit();
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private static int[] FreePorts(int count)
    {
        var free = new HashSet<int>();
        while (free.Count < count)
        {
            var port = Random.Shared.Next(FirstPort, LastPort);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                free.Add(port);
            }
            catch (SocketException)
            {
                // Taken.
            }
        }

        return [.. free];
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}
