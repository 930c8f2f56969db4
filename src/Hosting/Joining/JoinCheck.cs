using System.Net;
using System.Net.NetworkInformation;
using Grid.GrainDoors.Certificates;

namespace Grid.Hosting.Joining;

/// <summary>
/// Whether this silo and those that are at work reach each other, asked before it joins. Orleans would try for a while and end with a
/// stack, or take the place of a silo that is at work.
/// </summary>
/// <remarks>
/// The cluster's table also has silos that have ended without a word. Only one that goes on writing there is taken to be at work: whatever
/// stands still is left to Orleans, which declares it dead.
/// </remarks>
internal sealed class JoinCheck(IMembershipTable table, PeerCertificates? certificates)
{
    // Each silo writes every second. It has to do so twice, each time after it could not be reached: it may have been about to end the first time.
    private const int Signs = 2;
    private const int SignsOfWhoAnswers = 1;
    private static readonly TimeSpan SignPatience = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly PeerProbe _probe = new(certificates);

    /// <param name="here">This silo's address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClusterStartException">It cannot work with one of them; the message names the setting to repair.</exception>
    public async Task RunAsync(IPEndPoint here, CancellationToken cancellationToken)
    {
        await table.InitializeMembershipTableAsync(tryInitTableVersion: true, cancellationToken);
        await Task.WhenAll((await ReadAsync(cancellationToken)).Select(silo => silo.SiloAddress.Endpoint.Equals(here)
            ? RequireOwnAddressAsync(silo, cancellationToken)
            : RequireReachedAsync(silo, here, cancellationToken)));
    }

    // This process holds the port, so that a row of this machine is a former silo's.
    private async Task RequireOwnAddressAsync(MembershipEntry silo, CancellationToken cancellationToken)
    {
        if (silo.HostName != Dns.GetHostName() && await WritesAgainAsync(silo, cancellationToken))
        {
            throw new ClusterStartException(
                $"Another silo, on {silo.HostName}, is at work under this silo's address, {silo.SiloAddress.Endpoint}. Set Grid:Cluster:Address to an address of this machine by which the others reach it.");
        }
    }

    private async Task RequireReachedAsync(MembershipEntry silo, IPEndPoint here, CancellationToken cancellationToken)
    {
        var peer = silo.SiloAddress.Endpoint;
        for (var signs = 0; ; signs++)
        {
            var trouble = await _probe.AskAsync(peer, cancellationToken);
            var isUnreachable = trouble?.Kind == PeerTroubleKind.Unreachable;
            var refusal = IPAddress.IsLoopback(here.Address) && !IsOfThisMachine(peer.Address)
                ? $"This silo's address is {here.Address}, where the silo {Name(silo)} cannot reach it. Set Grid:Cluster:Address to an address of this machine by which the others reach it."
                : trouble is null ? null : Describe(silo, trouble, here);
            if (refusal is null)
            {
                return;
            }

            if (signs >= (isUnreachable ? Signs : SignsOfWhoAnswers))
            {
                throw new ClusterStartException(refusal);
            }

            // It may have been ending while it was asked, or have ended long ago, and another's program answers at its address.
            if (!await WritesAgainAsync(silo, cancellationToken))
            {
                return;
            }
        }
    }

    private static string Describe(MembershipEntry silo, PeerTrouble trouble, IPEndPoint here) => trouble.Kind switch
    {
        PeerTroubleKind.IsForeign =>
            $"The silo {Name(silo)} cannot be trusted: {trouble.Why}. All silos of a cluster have certificates of one authority: set Grid:Cluster:CertificateAuthorityFile to it, and CertificateFile and CertificateKeyFile to a certificate that it has issued.",
        PeerTroubleKind.RefusesThisOne =>
            $"The silo {Name(silo)} refuses this silo's certificate; its log (1043) says why. Set Grid:Cluster:CertificateFile and CertificateKeyFile to one of the authority that the other silos trust.",
        PeerTroubleKind.SpeaksTls =>
            $"The silo {Name(silo)} has a certificate, and this one has none: all silos of a cluster have them, or none. Set Grid:Cluster:CertificateFile, CertificateKeyFile and CertificateAuthorityFile.",
        PeerTroubleKind.SpeaksNoTls =>
            $"The silo {Name(silo)} has no certificate, and this one has: all silos of a cluster have them, or none. To introduce them, stop every silo; otherwise take Grid:Cluster:CertificateFile, CertificateKeyFile and CertificateAuthorityFile out here.",
        PeerTroubleKind.Unreachable when IPAddress.IsLoopback(silo.SiloAddress.Endpoint.Address) && silo.HostName != Dns.GetHostName() =>
            $"The silo {Name(silo)} is at work, but only its own machine reaches that address. Set Grid:Cluster:Address there to an address by which the others reach it.",
        PeerTroubleKind.Unreachable =>
            $"The silo {Name(silo)} is at work, but cannot be reached from {here.Address}: {trouble.Why}. Let silos reach each other's Grid:Cluster:SiloPort, or set its Grid:Cluster:Address to an address that this machine reaches.",
        _ => throw new InvalidOperationException($"A new kind of trouble, {trouble.Kind}."),
    };

    private static string Name(MembershipEntry silo) => $"at {silo.SiloAddress.Endpoint} (on {silo.HostName})";

    private static bool IsOfThisMachine(IPAddress address) => IPAddress.IsLoopback(address)
        || NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Any(own => own.Address.Equals(address));

    /// <summary>Whether a silo is at work: it does not only look so from what it wrote last.</summary>
    private async Task<bool> WritesAgainAsync(MembershipEntry silo, CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        DateTime? before = null;
        for (var since = clock.GetTimestamp(); clock.GetElapsedTime(since) < SignPatience;)
        {
            var now = (await ReadAsync(cancellationToken)).FirstOrDefault(row => row.SiloAddress.Equals(silo.SiloAddress))?.IAmAliveTime;
            if (now is null || (before is not null && now != before))
            {
                return now is not null;
            }

            before ??= now;
            await Task.Delay(Pause, clock, cancellationToken);
        }

        return false;
    }

    private async Task<IEnumerable<MembershipEntry>> ReadAsync(CancellationToken cancellationToken) =>
        (await table.ReadAllAsync(cancellationToken)).Members.Select(row => row.Item1).Where(row => row.Status == SiloStatus.Active);
}
