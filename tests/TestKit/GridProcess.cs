using System.Diagnostics;
using System.Text;

namespace Grid.TestKit;

/// <summary>The built executable, beside the test's own assembly, as a process of its own.</summary>
public sealed class GridProcess : IDisposable
{
    // A bound for hangs only: a start costs seconds of a processor, of which a busy machine gives it a tenth.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private GridProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Of the process itself, also if commands started it that replaced themselves by it.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Waits until all that it has written is read.</summary>
    public int ExitCode
    {
        get
        {
            _process.WaitForExit();
            return _process.ExitCode;
        }
    }

    /// <summary>A client of the front for browsers. Keeps no cookies.</summary>
    public HttpClient FrontHttp() => new(new HttpClientHandler { UseCookies = false })
    {
        BaseAddress = new Uri(Output.Split("Front for browsers listens on ")[1].Split('\n')[0].Trim()),
    };

    /// <summary>Runs a verb to its end.</summary>
    public static Task<(int Code, string Output)> RunAsync(string folder, string[] arguments, params (string Name, string Value)[] environment) =>
        RunAsync(folder, [], arguments, environment);

    /// <summary>As above, by a command that starts commands.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string folder, string[] prefix, string[] arguments, (string Name, string Value)[] environment)
    {
        using var grid = Start(folder, prefix, arguments, environment);
        await grid._process.WaitForExitAsync().WaitAsync(Patience);
        return (grid._process.ExitCode, grid.Output);
    }

    /// <summary>Serves on a free port; returns when it says that it is ready.</summary>
    public static Task<GridProcess> ServeAsync(string folder, params (string Name, string Value)[] environment) => ServeAsync(folder, [], environment);

    /// <summary>As above, by a command that starts commands.</summary>
    public static async Task<GridProcess> ServeAsync(string folder, string[] prefix, (string Name, string Value)[] environment)
    {
        var grid = Start(folder, prefix, ["serve"], [("Grid__Core__Port", "0"), ("Grid__Front__Port", "0"), .. environment]);
        var patience = Stopwatch.StartNew();
        while (!grid.Output.Contains("Ready.", StringComparison.Ordinal))
        {
            if (grid._process.HasExited || patience.Elapsed > Patience)
            {
                grid.Dispose();
                throw new InvalidOperationException(grid.Output);
            }

            await Task.Delay(50);
        }

        var url = grid.Output.Split("listens on ")[1].Split('\n')[0].Trim();
        grid.Http = new HttpClient { BaseAddress = new Uri(url) };
        return grid;
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Holds it still, as an overloaded or suspended machine does (<c>STOP</c>), or lets it go on (<c>CONT</c>).</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Asks it to end, as an init system does.</summary>
    public async Task<int> TerminateAsync()
    {
        Signal("TERM");
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        Http?.Dispose();
        _process.Dispose();
    }

    private static GridProcess Start(string folder, string[] prefix, string[] arguments, (string Name, string Value)[] environment)
    {
        string[] command = [.. prefix, "dotnet", Path.Combine(AppContext.BaseDirectory, "Grid.Silo.dll"), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Nobody balances load here; who tests the drain sets it.
        start.Environment["Grid__Shutdown__Drain"] = "00:00:00";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new GridProcess(new Process { StartInfo = start });
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
        }
    }
}
