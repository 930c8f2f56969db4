using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Grid.TestKit;

/// <summary>A process that serves HTTP and says on its output where: read to its end, signalled, ended.</summary>
public abstract class RunningProcess : IDisposable
{
    // A bound for hangs only: a start costs seconds of a processor, of which a busy machine gives it a tenth.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private protected RunningProcess(ProcessStartInfo start, (string Name, string Value)[] environment)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
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

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Holds it still, as an overloaded or suspended machine does (<c>STOP</c>), or lets it go on (<c>CONT</c>).</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Asks it to end, as an init system does.</summary>
    /// <returns>Its exit code.</returns>
    public Task<int> TerminateAsync()
    {
        Signal("TERM");
        return EndedAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        Http?.Dispose();
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <returns>Its exit code, when it has ended by itself.</returns>
    private protected async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Waits until its output says so, and where it listens.</summary>
    private protected async Task ReadyAsync(string word, TimeSpan timeout)
    {
        var patience = Stopwatch.StartNew();
        while (!Output.Contains(word, StringComparison.Ordinal) || !Address("listens on ").EndsWith('\n'))
        {
            if (HasExited || patience.Elapsed > Patience)
            {
                Dispose();
                throw new InvalidOperationException(Output);
            }

            await Task.Delay(50);
        }

        Http = new HttpClient { BaseAddress = new Uri(Address("listens on ").Trim()), Timeout = timeout };
    }

    /// <summary>What the output says behind a word, up to the end of the line and with it, if it is written already.</summary>
    private protected string Address(string word)
    {
        var output = Output;
        var start = output.IndexOf(word, StringComparison.Ordinal);
        if (start < 0)
        {
            return "";
        }

        start += word.Length;
        var end = output.IndexOf('\n', start);
        return end < 0 ? output[start..] : output[start..(end + 1)];
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
        }
    }
}
