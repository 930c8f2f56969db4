using System.Globalization;

namespace Grid.Bench.Http.Servers;

/// <summary>Processor time and memory of other processes, from <c>/proc</c>.</summary>
internal static class ProcessUsage
{
    // USER_HZ: the kernel reports /proc times in hundredths of a second on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds of processor time, user and system.</summary>
    public static double CpuSeconds(int pid) => Stat(pid) is { } stat ? stat.Own / TicksPerSecond : 0;

    /// <summary>Of the whole machine, all processes, since it started.</summary>
    public static double MachineCpuSeconds()
    {
        // cpu user nice system idle iowait irq softirq …: all but idle and iowait.
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Skip(1).Take(7).Where((_, i) => i is not (3 or 4)).Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>The same of a PostgreSQL server with all its processes, those that have ended included.</summary>
    public static double PostgreSqlCpuSeconds(int postmaster)
    {
        var ticks = Stat(postmaster) is { } main ? main.Own + main.EndedChildren : 0;
        foreach (var pid in Pids())
        {
            if (Stat(pid) is { } stat && stat.Parent == postmaster)
            {
                ticks += stat.Own;
            }
        }

        return ticks / TicksPerSecond;
    }

    /// <summary>The server process that listens on that port: the one whose command line says so.</summary>
    public static int Postmaster(int port)
    {
        foreach (var pid in Pids())
        {
            try
            {
                var arguments = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
                var at = Array.IndexOf(arguments, "-p");
                if (arguments[0].EndsWith("/postgres", StringComparison.Ordinal) && at > 0 && arguments[at + 1] == port.ToString(CultureInfo.InvariantCulture))
                {
                    return pid;
                }
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        throw new InvalidOperationException($"No PostgreSQL process for port {port}.");
    }

    /// <summary>Resident megabytes.</summary>
    public static double ResidentMegabytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private static IEnumerable<int> Pids() => Directory.EnumerateDirectories("/proc")
        .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    private static (int Parent, long Own, long EndedChildren)? Stat(int pid)
    {
        try
        {
            // The name in brackets may hold anything; what follows it is numbers.
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long Number(int field) => long.Parse(fields[field], CultureInfo.InvariantCulture);
            return ((int)Number(1), Number(11) + Number(12), Number(13) + Number(14));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
