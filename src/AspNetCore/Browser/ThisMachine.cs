using System.Net;

namespace Grid.AspNetCore.Browser;

/// <summary>The names that always lead to the machine that resolves them (RFC 6761, 6.3; loopback addresses).</summary>
internal static class ThisMachine
{
    /// <summary>Whether a host is one of them: <c>localhost</c>, a name below it, or a loopback address.</summary>
    /// <param name="host">Without its port; IPv6 with or without brackets.</param>
    public static bool IsNamedBy(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
