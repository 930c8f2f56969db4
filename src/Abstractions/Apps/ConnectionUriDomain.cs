using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Grid.Abstractions.Apps;

/// <summary>Spelling of connection URI domains: a host name or address in lower case, without a port.</summary>
public static class ConnectionUriDomain
{
    /// <summary>Longest domain in characters, as for host names.</summary>
    public const int MaxLength = 255;

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Normalises a domain for storage and comparison: trimmed, lower case, without port and trailing dot, IPv6 as .NET writes it.</summary>
    /// <returns>Null if it is no host name, no IPv4 address and no IPv6 address in brackets (without a zone, which no <c>Host</c> header has).</returns>
    public static string? TryNormalize(string written)
    {
        ArgumentNullException.ThrowIfNull(written);
        var text = written.Trim().ToLowerInvariant();
        var host = WithoutPort(text);
        var port = text.AsSpan(host.Length);
        host = WithoutDot(host);
        if (host.Length is 0 or > MaxLength || !(port.IsEmpty || IsPort(port)))
        {
            return null;
        }

        return host[0] == '[' ? TryNormalizeIPv6(host) : IsName(host) ? host.ToString() : null;
    }

    /// <summary>Finds the stored domain of a name: first by its exact text (earlier builds stored ports, and IPv6 as written), then by its normal form.</summary>
    /// <returns>Null if none of them is meant.</returns>
    public static string? Find(IEnumerable<string> stored, string written)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(written);
        var text = written.Trim();
        var normal = TryNormalize(written);
        string? found = null;
        foreach (var domain in stored)
        {
            if (domain.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return domain;
            }

            if (domain == normal || (found is null && normal is not null && domain.StartsWith('[') && domain.EndsWith(']') && TryNormalize(domain) == normal))
            {
                found = domain;
            }
        }

        return found;
    }

    /// <summary>The name in a <c>Host</c> header, for comparison: without port and trailing dot.</summary>
    /// <remarks>Allocates nothing but for IPv6, of which an address has many spellings; case is the comparer's.</remarks>
    public static ReadOnlySpan<char> HostOf(ReadOnlySpan<char> header)
    {
        var host = WithoutDot(WithoutPort(header));
        return host.StartsWith('[') && TryNormalizeIPv6(host) is { } address ? address : host;
    }

    /// <summary>Whether a <c>Host</c> header only looks like a domain: two dots in a row, or a leading dot.</summary>
    public static bool HasEmptyLabel(ReadOnlySpan<char> header)
    {
        var host = WithoutPort(header);
        return host.StartsWith('.') || host.IndexOf("..") >= 0;
    }

    private static ReadOnlySpan<char> WithoutDot(ReadOnlySpan<char> host) => host.EndsWith('.') && !host.StartsWith('[') ? host[..^1] : host;

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> text)
    {
        // The colons of an IPv6 address are within its brackets.
        var from = text.StartsWith('[') ? Math.Max(0, text.IndexOf(']')) : 0;
        var colon = text[from..].IndexOf(':');
        return colon < 0 ? text : text[..(from + colon)];
    }

    private static bool IsPort(ReadOnlySpan<char> port) =>
        port.Length > 1 && !port[1..].ContainsAnyExceptInRange('0', '9') && int.TryParse(port[1..], CultureInfo.InvariantCulture, out var number) && number <= IPEndPoint.MaxPort;

    private static string? TryNormalizeIPv6(ReadOnlySpan<char> host) =>
        host.EndsWith(']') && !host.Contains('%') && IPAddress.TryParse(host[1..^1], out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"[{address}]"
            : null;

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
