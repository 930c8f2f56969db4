using System.Net;
using System.Net.Sockets;
using Grid.Silo.Settings;

namespace Grid.Silo.Hosting;

/// <summary>Whether the ports for core API and front can be opened, asked before the store is touched and the cluster joined: a silo that finds out later leaves traces in both.</summary>
internal static class DoorCheck
{
    /// <exception cref="SettingsException">One cannot, with the repair.</exception>
    public static void Run(GridSettings settings)
    {
        // Both are held at once: one port for two is found, too.
        using var core = Take(settings.Address, settings.Core.Port, "Grid:Core");
        using var front = settings.Front.Enabled ? Take(settings.FrontAddress, settings.Front.Port, "Grid:Front") : null;
    }

    private static Socket Take(IPAddress address, int port, string section)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new SettingsException(failure.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable => $"{section}:Address {address} is none of this machine's addresses. Set it to one of them, or to '*' for all.",
                SocketError.AccessDenied => $"{section}:Port {port} may not be opened by this user: ports below 1024 are the system's. Set another one, or put a proxy before it.",
                SocketError.AddressAlreadyInUse => $"{section}:Port {port} on {address}: address already in use. Set {section}:Port to a free port, or end the other process.",
                _ => $"{section}:Address {address} and {section}:Port {port} cannot be opened: {failure.Message}.",
            });
        }
    }
}
