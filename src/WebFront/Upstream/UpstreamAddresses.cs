using System.Net;
using System.Net.Sockets;

namespace Grid.WebFront.Upstream;

/// <summary>Connects to a name that may have several addresses, of which some may be dead.</summary>
internal static class UpstreamAddresses
{
    // As RFC 8305, 8 recommends: a dead address costs each new connection this, and not the whole time-out.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(250);

    /// <summary>Tries them in turn, the next one as soon as one has failed or been silent for a moment; the first that answers is taken.</summary>
    /// <exception cref="SocketException">None of them answers.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public static async Task<Socket> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        using var rest = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var attempts = new List<Task<Socket>>();
        try
        {
            for (var tried = 0; ;)
            {
                if (tried < addresses.Length)
                {
                    attempts.Add(ConnectAsync(addresses[tried++], port, rest.Token));
                }

                var silence = tried < addresses.Length ? Task.Delay(Silence, rest.Token) : Task.Delay(Timeout.Infinite, rest.Token);
                var first = await Task.WhenAny([.. attempts, silence]);
                cancellationToken.ThrowIfCancellationRequested();
                if (first is Task<Socket> attempt)
                {
                    attempts.Remove(attempt);
                    if (attempt.IsCompletedSuccessfully || (attempts.Count == 0 && tried >= addresses.Length))
                    {
                        return await attempt;
                    }
                }
            }
        }
        finally
        {
            await rest.CancelAsync();
            foreach (var attempt in attempts)
            {
                _ = attempt.ContinueWith(late => late.IsCompletedSuccessfully ? (object?)DisposeOf(late.Result) : late.Exception, TaskScheduler.Default);
            }
        }
    }

    private static async Task<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket DisposeOf(Socket socket)
    {
        socket.Dispose();
        return socket;
    }
}
