using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A request as it came to a <see cref="RawCore"/>: its head, and the connection to read the rest from and to answer on.</summary>
internal sealed record RawRequest(string Head, Stream Stream)
{
    public string Path => Head.Split(' ')[1].Split('?')[0];

    public Task WriteAsync(string bytes) => Stream.WriteAsync(Encoding.Latin1.GetBytes(bytes)).AsTask();

    /// <summary>Answers JSON, and the connection may be used again.</summary>
    public Task WriteJsonAsync(string json) => WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    /// <summary>Reads the body as its length says.</summary>
    public async Task<string> ReadBodyAsync()
    {
        var length = Head.Split("\r\n").Where(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Select(line => int.Parse(line["Content-Length:".Length..], null)).FirstOrDefault();
        var body = new byte[length];
        await Stream.ReadExactlyAsync(body);
        return Encoding.Latin1.GetString(body);
    }
}

/// <summary>What stands for a core and answers byte for byte as a test says, well-formed or not.</summary>
internal sealed class RawCore : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private volatile bool _isEnding;
    private Task _accepting = Task.CompletedTask;

    public RawCore() => _listener.Start();

    public Uri Url => new($"http://{_listener.LocalEndpoint}");

    /// <summary>What answers a path; false if the connection is closed afterwards. All others get an empty object.</summary>
    public ConcurrentDictionary<string, Func<RawRequest, Task<bool>>> Answers { get; } = new();

    public ConcurrentQueue<string> Heads { get; } = new();

    /// <summary>Who connects is cut off, as with a core that is being restarted; its port stays its own.</summary>
    public bool IsAway
    {
        get => field;
        set
        {
            field = value;
            foreach (var client in value ? _open.Keys : [])
            {
                client.Dispose();
            }
        }
    }

    /// <summary>How a connection is dressed before it is read from.</summary>
    public Func<Stream, Task<Stream>> Dress { get; set; } = Task.FromResult;

    public void Start() => _accepting = AcceptAsync();

    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _listener.Stop();
        foreach (var client in _open.Keys)
        {
            client.Dispose();
        }

        await _accepting;
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        _open.TryAdd(client, true);
        try
        {
            // It may have been accepted at the very end.
            if (IsAway || _isEnding)
            {
                return;
            }

            await using var stream = await Dress(client.GetStream());
            while (await ReadHeadAsync(stream) is { } head)
            {
                Heads.Enqueue(head);
                var request = new RawRequest(head, stream);
                if (Answers.TryGetValue(request.Path, out var answer))
                {
                    if (!await answer(request))
                    {
                        return;
                    }
                }
                else
                {
                    await request.ReadBodyAsync();
                    await request.WriteJsonAsync("{}");
                }
            }
        }
        catch (Exception cut) when (cut is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The other side has left, or IsAway.
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private static async Task<string?> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one) == 1)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n")
            {
                return head.ToString();
            }
        }

        return null;
    }
}
