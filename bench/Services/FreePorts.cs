using System.Net;
using System.Net.Sockets;

namespace Grid.Bench.Services;

internal static class FreePorts
{
    /// <summary>One that was free a moment ago: a gateway's port is set, not found.</summary>
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
