using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Grid.Abstractions.Apps;

/// <summary>How connection-URI domains are spelt: a host name or an address, in lower case, without a port.</summary>
public static class ConnectionUriDomain
{
    /// <summary>Most characters of a domain; a host name has no more.</summary>
    public const int MaxLength = 255;

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>A domain as somebody wrote it, made what is stored and compared: trimmed, lower case, without its port.</summary>
    /// <returns>Null if it is no host name, no IPv4 address and no IPv6 address in brackets.</returns>
    public static string? TryNormalize(string written)
    {
        ArgumentNullException.ThrowIfNull(written);
        var text = written.Trim().ToLowerInvariant();
        var host = WithoutPort(text);
        var port = text.AsSpan(host.Length);
        var isGood = host.Length is > 0 and <= MaxLength && (port.IsEmpty || IsPort(port)) && (host[0] == '[' ? IsIPv6(host) : IsName(host));
        return !isGood ? null : port.IsEmpty ? text : host.ToString();
    }

    /// <summary>The name in a <c>Host</c> header, for comparison: without port, and without the dot that may end a full name.</summary>
    /// <remarks>Allocates nothing; case is the comparer's.</remarks>
    public static ReadOnlySpan<char> HostOf(ReadOnlySpan<char> header)
    {
        var host = WithoutPort(header);
        return host.EndsWith('.') ? host[..^1] : host;
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> text)
    {
        // The colons of an IPv6 address are within its brackets.
        var from = text.StartsWith('[') ? Math.Max(0, text.IndexOf(']')) : 0;
        var colon = text[from..].IndexOf(':');
        return colon < 0 ? text : text[..(from + colon)];
    }

    private static bool IsPort(ReadOnlySpan<char> port) => port.Length > 1 && !port[1..].ContainsAnyExceptInRange('0', '9');

    private static bool IsIPv6(ReadOnlySpan<char> host) =>
        host.EndsWith(']') && IPAddress.TryParse(host[1..^1], out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    private static bool IsName(ReadOnlySpan<char> host)
    {
        foreach (var label in host.Split('.'))
        {
            if (host[label].IsEmpty || host[label].ContainsAnyExcept(LabelCharacters))
            {
                return false;
            }
        }

        return true;
    }
}
