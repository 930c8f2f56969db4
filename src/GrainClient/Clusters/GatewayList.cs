using System.Net;
using System.Net.Sockets;
using Orleans.Messaging;

namespace Grid.GrainClient.Clusters;

/// <summary>Gateways by host and port. Names are resolved each time: behind one of them silos may come and go.</summary>
internal sealed class GatewayList(IReadOnlyList<string> gateways, TimeSpan refreshEvery) : IGatewayListProvider
{
    public TimeSpan MaxStaleness => refreshEvery;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public async Task<IList<Uri>> GetGateways()
    {
        List<Uri> found = [];
        foreach (var gateway in gateways)
        {
            if (!GridGrainOptionsRules.TryReadGateway(gateway, out var host, out var port))
            {
                continue;
            }

            try
            {
                var addresses = IPAddress.TryParse(host, out var address) ? [address] : await Dns.GetHostAddressesAsync(host);
                found.AddRange(addresses.Select(one => SiloAddress.New(one, port, 0).ToGatewayUri()));
            }
            catch (SocketException)
            {
                // One name that is not known now leaves the others.
            }
        }

        return [.. found.Distinct()];
    }
}
