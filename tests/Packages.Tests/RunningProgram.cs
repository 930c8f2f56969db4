using System.Diagnostics;
using System.Text;

namespace Grid.Packages.Tests;

/// <summary>A program that was started by <c>dotnet run</c> and listens.</summary>
internal sealed class RunningProgram : IDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private RunningProgram(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url { get; private set; } = null!;

    private string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public static async Task<RunningProgram> StartAsync(ProcessStartInfo start)
    {
        const string Listening = "Now listening on: ";
        var program = new RunningProgram(start);
        try
        {
            var patience = Stopwatch.StartNew();
            while (!program.Output.Split(Listening).Skip(1).Any(rest => rest.Contains('\n', StringComparison.Ordinal)))
            {
                Assert.False(program._process.HasExited || patience.Elapsed > TimeSpan.FromMinutes(5), program.Output);
                await Task.Delay(50);
            }
        }
        catch
        {
            program.Dispose();
            throw;
        }

        program.Url = new Uri(program.Output.Split(Listening)[1].Split('\n')[0].Trim());
        return program;
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
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
