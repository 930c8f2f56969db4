using System.Diagnostics;
using System.Net;
using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Servers;

/// <summary>A child process that prints the URL on which it listens.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(150);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(ProcessStartInfo start, string readyMark)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("The server ended: " + Log));
        _process.OutputDataReceived += (_, e) => Keep(e.Data, readyMark);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data, readyMark);
    }

    public int Id => _process.Id;

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);

    private string Log
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>The first line that begins so.</summary>
    public string Line(string beginning)
    {
        lock (_lines)
        {
            return _lines.First(line => line.StartsWith(beginning, StringComparison.Ordinal));
        }
    }

    /// <param name="start">The command.</param>
    /// <param name="readyMark">Appears in the line after which it may be called.</param>
    /// <param name="within">How long that may take; null: a minute.</param>
    public static async Task<ServerProcess> StartAsync(ProcessStartInfo start, string readyMark, TimeSpan? within = null)
    {
        var server = new ServerProcess(start, readyMark);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        try
        {
            await server._ready.Task.WaitAsync(within ?? StartLimit);
        }
        catch
        {
            server.Dispose();
            throw;
        }

        return server;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _ = SystemCalls.Kill(_process.Id, SystemCalls.Terminate);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private void Keep(string? line, string readyMark)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Add(line);
        }

        var url = line.IndexOf("http://127.0.0.1:", StringComparison.Ordinal);
        if (url >= 0 && Uri.TryCreate(line[url..].Trim(), UriKind.Absolute, out var parsed))
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, parsed.Port);
        }

        if (line.Contains(readyMark, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }
}
