using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Grid.Client.Tests;

/// <summary>A server that reads requests whole, and answers them or closes their connection.</summary>
internal sealed class DyingServer : IAsyncDisposable
{
    private const string Nothing = """{"status":"UNAUTHORISED"}""";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public DyingServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"http://{_listener.LocalEndpoint}");

    /// <summary>Whether the next requests get no answer.</summary>
    public bool DieAtOnce { get; set; }

    /// <summary>Requests that have come.</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        try
        {
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } first)
            {
                var length = 0;
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } header)
                {
                    length = header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) ? int.Parse(header.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture) : length;
                }

                if (length > 0)
                {
                    await reader.ReadBlockAsync(new char[length], _stop.Token);
                }

                Seen.Enqueue(string.Join(' ', first.Split(' ')[0], first.Split(' ')[1].Split('?')[0]));
                if (DieAtOnce)
                {
                    return;
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Nothing.Length}\r\n\r\n{Nothing}"), _stop.Token);
            }
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // The other side has gone.
        }
    }
}
