using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Grid.TestKit;

/// <summary>What stands between an application and the core, or in its place.</summary>
public enum Between
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>Nobody listens.</summary>
    Nobody,

    /// <summary>Accepts, and closes at once.</summary>
    Closes,

    /// <summary>Accepts, and never says a word; what was open is silent as well.</summary>
    Silence,

    /// <summary>Each piece takes a while.</summary>
    Slowness,

    /// <summary>A request gets through, and its answer is lost on the way back.</summary>
    LostAnswers,

    /// <summary>Answers what is no HTTP.</summary>
    Garbage,

    /// <summary>Another web server.</summary>
    OtherServer,

    /// <summary>A proxy whose back end is away.</summary>
    BadGateway,

    /// <summary>Half an answer, and then nothing.</summary>
    HalfAnAnswer,

    /// <summary>Opens the WebSocket and never says a word.</summary>
    OpensSilently,

    /// <summary>Opens the WebSocket and closes it.</summary>
    OpensAndCloses,

    /// <summary>Opens the WebSocket and sends what is no frame.</summary>
    OpensAndSendsGarbage,

    /// <summary>Opens the WebSocket, refuses the registration with a reason.</summary>
    Refuses,

    /// <summary>Opens the WebSocket and sends JSON that means nothing here.</summary>
    OpensAndSendsOtherMessages,
}

/// <summary>A cable between an application and Grid that can be pulled, at whose end somebody else may sit, and which may lead to another silo from now on.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly ConcurrentBag<TcpClient> _open = [];
    private readonly int _port;
    private TcpListener _listener = new(IPAddress.Loopback, 0);
    private Task _accepting;
    private volatile Between _between = Between.Nothing;
    private volatile Cable _cable = new();

    public TcpRelay(Uri target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
        _listener.Start();
        _port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Url = new Uri($"http://127.0.0.1:{_port}{target.AbsolutePath}");
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>This end, the same for ever.</summary>
    public Uri Url { get; }

    /// <summary>Connections that came.</summary>
    public int Accepted { get; private set; }

    /// <summary>The other end of the connections to come.</summary>
    public Uri Target { get; set; }

    /// <summary>Breaks what is open, unless it only falls silent, and treats like that what comes.</summary>
    public void Put(Between between)
    {
        if (_between == Between.Nobody && between != Between.Nobody)
        {
            _listener = new TcpListener(IPAddress.Loopback, _port);
            _listener.Start();
            _accepting = AcceptAsync(_listener);
        }

        // What was opened before stays as silent as it fell.
        _cable.IsSilent = between is Between.Silence or Between.OpensSilently || _cable.IsSilent;
        _cable = new Cable();
        _between = between;
        if (between is Between.Nobody)
        {
            _listener.Stop();
        }

        while (between is not (Between.Silence or Between.OpensSilently or Between.Nothing or Between.Slowness) && _open.TryTake(out var client))
        {
            client.Close();
        }
    }

    /// <summary>Breaks what is open and closes what comes.</summary>
    public void Cut() => Put(Between.Closes);

    public void Mend() => Put(Between.Nothing);

    public async ValueTask DisposeAsync()
    {
        Put(Between.Nobody);
        await _accepting;
        _listener.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                Accepted++;
                _open.Add(client);
                _ = ServeAsync(client, _between);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client, Between between)
    {
        try
        {
            switch (between)
            {
                case Between.Nothing:
                    await ForwardAsync(client, TimeSpan.Zero);
                    break;
                case Between.Slowness:
                    await ForwardAsync(client, TimeSpan.FromMilliseconds(150));
                    break;
                case Between.LostAnswers:
                    await LoseAnswerAsync(client);
                    break;
                case Between.Silence:
                    await client.GetStream().CopyToAsync(Stream.Null);
                    break;
                case Between.Garbage:
                    await AnswerAsync(client, "\x16\x03\x01 what is this?\r\n\r\n");
                    break;
                case Between.OtherServer:
                    await AnswerAsync(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                    break;
                case Between.BadGateway:
                    await AnswerAsync(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
                    break;
                case Between.HalfAnAnswer:
                    await ReadHeadAsync(client);
                    await client.GetStream().WriteAsync("HTTP/1.1 101 Switch"u8.ToArray());
                    await client.GetStream().CopyToAsync(Stream.Null);
                    break;
                case Between.OpensSilently:
                    await OpenAsync(client);
                    await client.GetStream().CopyToAsync(Stream.Null);
                    break;
                case Between.OpensAndCloses:
                    await OpenAsync(client);
                    break;
                case Between.OpensAndSendsGarbage:
                    await OpenAsync(client);
                    await client.GetStream().WriteAsync(RandomNumberGenerator.GetBytes(200));
                    break;
                case Between.Refuses:
                    await OpenAsync(client);
                    _ = await client.GetStream().ReadAsync(new byte[4096]);
                    await SayAsync(client, """{"type":"failed","n":1,"reason":"as many as there may be"}""");
                    await client.GetStream().CopyToAsync(Stream.Null);
                    break;
                case Between.OpensAndSendsOtherMessages:
                    await OpenAsync(client);
                    await SayAsync(client, """{"type":"registered","n":1}""");
                    await SayAsync(client, """{"type":"entries","n":1,"entries":[null]}""");
                    await SayAsync(client, "null");
                    await client.GetStream().CopyToAsync(Stream.Null);
                    break;
                default:
                    break;
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // Cut.
        }

        client.Close();
    }

    private async Task ForwardAsync(TcpClient client, TimeSpan delay)
    {
        var cable = _cable;
        using var server = new TcpClient();
        await server.ConnectAsync(Target.Host, Target.Port);
        _open.Add(server);
        await Task.WhenAny(CopyAsync(client, server, cable, delay), CopyAsync(server, client, cable, delay));
        while (cable.IsSilent)
        {
            // Neither side hears of the other's end.
            await Task.Delay(50);
        }
    }

    // Whoever asked hears nothing, and finds the connection closed once the answer was there.
    private async Task LoseAnswerAsync(TcpClient client)
    {
        using var server = new TcpClient();
        await server.ConnectAsync(Target.Host, Target.Port);
        _open.Add(server);
        var asking = CopyAsync(client, server, _cable, TimeSpan.Zero);
        var piece = new byte[16 * 1024];
        await Task.WhenAny(asking, server.GetStream().ReadAsync(piece).AsTask());
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to, Cable cable, TimeSpan delay)
    {
        try
        {
            var piece = new byte[16 * 1024];
            while (await from.GetStream().ReadAsync(piece) is var length && length > 0)
            {
                await Task.Delay(delay);
                if (!cable.IsSilent)
                {
                    await to.GetStream().WriteAsync(piece.AsMemory(0, length));
                }
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // Cut.
        }
    }

    private static async Task<string> ReadHeadAsync(TcpClient client)
    {
        var head = new StringBuilder();
        var piece = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) && await client.GetStream().ReadAsync(piece) is var length && length > 0)
        {
            head.Append(Encoding.ASCII.GetString(piece, 0, length));
        }

        return head.ToString();
    }

    private static async Task AnswerAsync(TcpClient client, string answer)
    {
        await ReadHeadAsync(client);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(answer));
    }

    // RFC 6455 §5.2: one unmasked text frame.
    private static async Task SayAsync(TcpClient client, string message)
    {
        byte[] frame = [0x81, (byte)message.Length, .. Encoding.ASCII.GetBytes(message)];
        await client.GetStream().WriteAsync(frame);
    }

    // RFC 6455 §4.2.2.
    private static async Task OpenAsync(TcpClient client)
    {
        var key = (await ReadHeadAsync(client)).Split("\r\n").First(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(':')[1].Trim();
#pragma warning disable CA5350 // SHA-1 is what the protocol asks for.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"));
    }

    private sealed class Cable
    {
        public volatile bool IsSilent;
    }
}
