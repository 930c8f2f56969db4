using System.Net;
using System.Net.Sockets;
using Grid.Storage;
using Npgsql;

namespace Grid.Hosting.Settings;

/// <summary>The address at which the other silos reach this one.</summary>
internal static class ClusterAddress
{
    private const int DefaultPort = 5432;

    /// <exception cref="SettingsException">It is none.</exception>
    public static IPAddress Read(string text) =>
        !IPAddress.TryParse(text, out var address) ? throw new SettingsException($"Grid:Cluster:Address must be an IP address; '{text}' is none.")
        : address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            ? throw new SettingsException($"Grid:Cluster:Address is what the other silos reach this one by; {address} is no such address. Set it to one of this machine's.")
        : address;

    /// <summary>For a silo that took a loopback address because it found none: the others would not reach it.</summary>
    /// <param name="now">What <see cref="TryFind"/> says when the database answers.</param>
    /// <exception cref="StoreStartException">There is another address now. The next start finds it.</exception>
    public static void RefuseIfFoundLate(IPAddress? now)
    {
        if (now is not null && !IPAddress.IsLoopback(now))
        {
            throw new StoreStartException(
                $"The address at which other silos reach this one was not found at first, since the database's name or the route to it was not known; it is {now}. Start again, or set Grid:Cluster:Address.");
        }
    }

    /// <summary>
    /// The local address by which the database is reached: whoever shares the database reaches that, too, as a rule. Nothing is sent. Loopback if
    /// the database is on this machine.
    /// </summary>
    /// <returns>Null if the database's name is not known, or no route to it, which the store's own refusal is about.</returns>
    public static IPAddress? TryFind(StoreOptions store)
    {
        if (store is not { Engine: StoreEngine.PostgreSql, ConnectionString: { } text })
        {
            return IPAddress.Loopback;
        }

        var connection = new NpgsqlConnectionStringBuilder(text);
        foreach (var host in (connection.Host ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // Sockets of the file system, also abstract ones.
            if (host[0] is '/' or '@')
            {
                return IPAddress.Loopback;
            }

            var (name, port) = Split(host, connection.Port);
            try
            {
                foreach (var remote in IPAddress.TryParse(name, out var literal) ? [literal] : Dns.GetHostAddresses(name))
                {
                    if (Towards(new IPEndPoint(remote, port)) is { } local)
                    {
                        return IPAddress.IsLoopback(local) ? IPAddress.Loopback : local;
                    }
                }
            }
            catch (SocketException)
            {
                // Not known; the next one may be.
            }
        }

        return null;
    }

    private static IPAddress? Towards(IPEndPoint remote)
    {
        try
        {
            // A datagram socket is connected without a word to the other side; only the route is chosen.
            using var probe = new Socket(remote.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(remote);
            return ((IPEndPoint)probe.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    // As Npgsql writes several hosts: host:port,host:port; an IPv6 address with a port stands in brackets.
    private static (string Name, int Port) Split(string host, int port)
    {
        var colon = host.LastIndexOf(':');
        return colon > 0 && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']') && int.TryParse(host.AsSpan(colon + 1), out var own)
            ? (host[..colon].Trim('[', ']'), own)
            : (host.Trim('[', ']'), port == 0 ? DefaultPort : port);
    }
}
