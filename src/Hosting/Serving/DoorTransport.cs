using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Grid.Hosting.Serving;

/// <summary>A port to listen on, with the door that stands there.</summary>
internal sealed class DoorEndPoint(HeldPort port, Door door) : IPEndPoint(port.EndPoint.Address, port.EndPoint.Port)
{
    public HeldPort HeldPort => port;

    public Door Door => door;
}

/// <summary>
/// Kestrel's sockets, with the limit where connections are accepted: Kestrel's own is looked at later, on the thread pool, and a burst
/// has taken the last descriptor by then.
/// </summary>
internal sealed class DoorTransport(IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory
{
    // Generous to phones on bad networks. After the first byte RequestHeadersTimeout applies.
    private static readonly TimeSpan FirstByte = TimeSpan.FromSeconds(10);

    // Between the last connection that is let in and the end of all: for a busy machine to accept it and to read its request.
    private static readonly TimeSpan LastRequests = TimeSpan.FromSeconds(1);

    private readonly SocketTransportFactory _sockets = new(options, loggers);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await _sockets.BindAsync(endpoint, cancellationToken);
        return endpoint is DoorEndPoint door ? new DoorListener(listener, door.Door, door.HeldPort) : listener;
    }

    /// <summary>The socket that holds an address already: <see cref="SocketTransportOptions.CreateBoundListenSocket"/>.</summary>
    public static Socket OpenHeld(EndPoint endpoint) =>
        endpoint is DoorEndPoint door ? door.HeldPort.Open() : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);

    /// <summary>Runs first on each connection: closes it if it stays silent, and releases its place when it ends.</summary>
    public static async Task GuardAsync(ConnectionContext connection, Door door, ConnectionDelegate next)
    {
        try
        {
            if (await SaysSomethingAsync(connection))
            {
                await next(connection);
            }
        }
        finally
        {
            door.Leave(connection.RemoteEndPoint);
        }
    }

    private static async Task<bool> SaysSomethingAsync(ConnectionContext connection)
    {
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(FirstByte);
        var input = connection.Transport.Input;
        try
        {
            var read = await input.ReadAsync(patience.Token);

            // Examined, not consumed: the server reads it.
            input.AdvanceTo(read.Buffer.Start);
            return !(read.IsCompleted && read.Buffer.IsEmpty);
        }
        catch (OperationCanceledException)
        {
            connection.Abort(new ConnectionAbortedException("It has said nothing."));
            return false;
        }
        catch (Exception gone) when (gone is IOException or ConnectionAbortedException)
        {
            return false;
        }
    }

    private sealed class DoorListener(IConnectionListener listener, Door door, HeldPort port) : IConnectionListener
    {
        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await listener.AcceptAsync(cancellationToken) is { } connection)
            {
                if (door.Refuse(connection.RemoteEndPoint) is not { } why)
                {
                    return connection;
                }

                connection.Abort(new ConnectionAbortedException(why));
                _ = DropAsync(connection);
            }

            return null;
        }

        // The system resets what waits in a port when it is closed, a request that was sent already included; and Kestrel ends connections whose
        // request it has not read yet. A balancer that doesn't look at readiness sends requests until the end.
        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            if (port.TryStopLettingIn())
            {
                await Task.Delay(LastRequests, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await listener.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => listener.DisposeAsync();

        private static async Task DropAsync(ConnectionContext connection)
        {
            try
            {
                await connection.DisposeAsync();
            }
            catch (Exception gone) when (gone is IOException or ConnectionAbortedException)
            {
                // The connection is closed either way.
            }
        }
    }
}
