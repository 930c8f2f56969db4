using System.Net.Sockets;
using Orleans.Runtime.Services;

namespace Grid.Grains.Silos;

/// <summary>Asks other silos whether they reach this one.</summary>
internal sealed class SiloReach(IServiceProvider services, ILocalSiloDetails here) : GrainServiceClient<ISiloListener>(services)
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(4);

    /// <summary>Asks one of them.</summary>
    /// <returns>Why it does not, empty if it does; null if it did not say, as one does that is ending or of an earlier version.</returns>
    public async Task<string?> AskAsync(SiloAddress peer, CancellationToken cancellationToken)
    {
        try
        {
            return await GetGrainService(peer).WhyUnreachableAsync(here.SiloAddress).WaitAsync(AnswerWithin, cancellationToken) ?? "";
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Tries a silo's port from here.</summary>
    /// <returns>Why there is no connection; null if there is one.</returns>
    public static async Task<string?> WhyUnreachableAsync(SiloAddress other)
    {
        try
        {
            using var socket = await PeerPort.ConnectAsync(other.Endpoint, ConnectWithin, CancellationToken.None);
            return null;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode switch
            {
                SocketError.TimedOut => $"no answer within {ConnectWithin.TotalSeconds:0} s",
                SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.ConnectionReset or SocketError.AccessDenied => failure.Message,

                // No descriptors here, and the like, say nothing of the other side.
                _ => null,
            };
        }
    }
}
