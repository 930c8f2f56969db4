using System.Globalization;
using System.Runtime.InteropServices;

namespace Grid.Bench.Http.Report;

/// <summary>What the figures were taken on.</summary>
internal static class Machine
{
    public static IEnumerable<string> Facts()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim() ?? "unknown processor";
        yield return $"{Environment.ProcessorCount} cores, {model}; {RuntimeInformation.OSDescription}; .NET {Environment.Version}";
        var memory = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        yield return $"{double.Parse(memory, CultureInfo.InvariantCulture) / 1024 / 1024:F0} GB of memory; databases on {new DriveInfo(Path.GetTempPath()).DriveFormat}, flushing 4 KB to it takes {FlushMilliseconds():F2} ms (median)";
        yield return $"load average when this page was written: {File.ReadAllText("/proc/loadavg").Split(' ')[0]}";
    }

    /// <summary>What every commit waits for at least.</summary>
    private static double FlushMilliseconds()
    {
        var path = Path.GetTempFileName();
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[4096];
            var times = new Load.Latencies();
            for (var i = 0; i < 200; i++)
            {
                var began = System.Diagnostics.Stopwatch.GetTimestamp();
                file.Write(block);
                file.Flush(flushToDisk: true);
                times.Add(System.Diagnostics.Stopwatch.GetTimestamp() - began);
            }

            return times.Percentile(0.5);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
