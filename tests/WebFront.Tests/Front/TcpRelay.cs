using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Grid.WebFront.Tests.Front;

/// <summary>A cable between an application and the core that can be pulled.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _open = [];
    private readonly int _port;
    private readonly Task _accepting;
    private volatile bool _isCut;

    public TcpRelay(Uri target)
    {
        _port = target.Port;
        _listener.Start();
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Url { get; }

    /// <summary>Breaks what is open and refuses what comes.</summary>
    public void Cut()
    {
        _isCut = true;
        while (_open.TryTake(out var client))
        {
            client.Close();
        }
    }

    public void Mend() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        Cut();
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                if (_isCut)
                {
                    client.Close();
                    continue;
                }

                var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, _port);
                _open.Add(client);
                _open.Add(server);
                _ = CopyAsync(client, server);
                _ = CopyAsync(server, client);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // Cut.
        }

        from.Close();
        to.Close();
    }
}
