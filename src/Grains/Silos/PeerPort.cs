using System.Net;
using System.Net.Sockets;

namespace Grid.Grains.Silos;

/// <summary>A connection to a silo's port, for those who only want to know whether there is one.</summary>
internal static class PeerPort
{
    /// <summary>Connects; whoever does not answer in time is as one whose system gave up.</summary>
    /// <param name="peer">The silo's address.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SocketException">There is no connection; <see cref="SocketError.TimedOut"/>, too, when the patience is over.</exception>
    public static async Task<Socket> ConnectAsync(IPEndPoint peer, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        enough.CancelAfter(patience);
        var socket = new Socket(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(peer, enough.Token);
            return socket;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
