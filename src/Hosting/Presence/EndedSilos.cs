using System.Net;
using System.Net.Sockets;
using Grid.Abstractions;
using Grid.Grains.Silos;
using Grid.Storage;

namespace Grid.Hosting.Presence;

/// <summary>Finds silos that have ended without a word: their session with the database is over, and nothing accepts connections at their address.</summary>
/// <remarks>
/// Either alone happens to silos that live: the server restarts and every session with it, or two networks use the same address.
/// A silo to which both happens can reach neither the store nor its peers, and is of no use to them until it can.
/// One that stands still, however long, has neither: its system keeps its connections and accepts new ones.
/// </remarks>
internal sealed class EndedSilos(ISiloPresence presence)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // A silo whose session was ended under it has begun another by then; it is not troubled with a connection.
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(250);

    /// <param name="silos">Address and name, as the cluster's table has them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    public async Task<IReadOnlyList<SiloAddress>> FindAsync(IEnumerable<(SiloAddress Address, string? Name)> silos, CancellationToken cancellationToken)
    {
        var marked = silos.Select(silo => (silo.Address, Mark: SiloNames.MarkOf(silo.Name)!)).Where(silo => silo.Mark is not null).ToList();
        if (marked.Count == 0)
        {
            return [];
        }

        var over = await presence.FindOverAsync([.. marked.Select(silo => silo.Mark)], cancellationToken);
        if (over.Count == 0)
        {
            return [];
        }

        await Task.Delay(AgainAfter, cancellationToken);
        over = await presence.FindOverAsync([.. over], cancellationToken);
        var asked = await Task.WhenAll(marked.Where(silo => over.Contains(silo.Mark))
            .Select(async silo => (silo.Address, silo.Mark, IsSilent: await IsSilentAsync(silo.Address.Endpoint, cancellationToken))));
        var silent = asked.Where(silo => silo.IsSilent).ToList();
        if (silent.Count == 0)
        {
            return [];
        }

        // After a restart of the server an overloaded silo may need as long as that for its next session, and so may whoever asks for an answer.
        over = await presence.FindOverAsync([.. silent.Select(silo => silo.Mark)], cancellationToken);
        return [.. silent.Where(silo => over.Contains(silo.Mark)).Select(silo => silo.Address)];
    }

    private static async Task<bool> IsSilentAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = await PeerPort.ConnectAsync(address, Patience, cancellationToken);
            return false;
        }
        catch (SocketException failure)
        {
            // What else there is (no descriptors, no network here) says nothing of the other side.
            return failure.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.HostUnreachable or SocketError.TimedOut;
        }
    }
}
