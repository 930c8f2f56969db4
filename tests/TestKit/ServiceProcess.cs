using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Grid.TestKit;

/// <summary>An application behind <c>AddGrid()</c> as a process of its own: <c>tests/ProtectedService</c>, which the test project has to reference.</summary>
public sealed class ServiceProcess : IDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private ServiceProcess(Process process)
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

    /// <summary>Starts one; returns when it listens, whether Grid is there or not.</summary>
    /// <param name="grid">The core API.</param>
    /// <param name="settings">Of <c>GridOptions</c>, by name.</param>
    public static Task<ServiceProcess> StartAsync(Uri grid, params (string Name, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return StartAsync(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Grid.ProtectedService.dll")],
            [.. settings.Append(("ConnectionUri", grid.ToString())).Select(setting => ($"Service__{setting.Item1}", setting.Item2))]);
    }

    /// <summary>Starts any program that says where it listens.</summary>
    internal static async Task<ServiceProcess> StartAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var service = new ServiceProcess(new Process { StartInfo = start });
        var patience = Stopwatch.StartNew();
        while (!service.Output.Contains("listens on ", StringComparison.Ordinal) || !service.Output.Split("listens on ")[1].Contains('\n', StringComparison.Ordinal))
        {
            // A bound for hangs only.
            if (service._process.HasExited || patience.Elapsed > TimeSpan.FromMinutes(5))
            {
                service.Dispose();
                throw new InvalidOperationException(service.Output);
            }

            await Task.Delay(50);
        }

        service.Http = new HttpClient { BaseAddress = new Uri(service.Output.Split("listens on ")[1].Split('\n')[0].Trim()), Timeout = TimeSpan.FromSeconds(20) };
        return service;
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Holds it still (<c>STOP</c>), or lets it go on (<c>CONT</c>).</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Asks it to end, as an init system does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        Signal("TERM");
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
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

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
        }
    }
}
