using System.Net;
using System.Text.RegularExpressions;

namespace Grid.Abstractions.Apps;

/// <summary>An operator's or tenant's regular expression over addresses: it has to match the whole of one, as written here.</summary>
public static class AddressRule
{
    /// <summary>Most characters that a new rule may have: some twenty addresses.</summary>
    public const int MaxLength = 300;

    // Earlier builds took rules as long as this, which hold as they are stored.
    private const int MaxStoredLength = 1000;

    // No backtracking: its time is linear in the address whatever a tenant wrote, and a pattern that would need a large automaton does not compile.
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase;

    /// <summary>Makes the rule, anchored at both ends; null if the pattern is none, or one that could cost too much.</summary>
    public static Regex? TryCreate(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        try
        {
            // By itself first: "a)|(?:b" is a pattern only between our parentheses. It never runs, so it needs no automaton.
            _ = pattern.Length <= MaxStoredLength
                ? new Regex(pattern, Options & ~RegexOptions.NonBacktracking)
                : throw new ArgumentException("Too long.", nameof(pattern));
            return new Regex($@"\A(?:{pattern})\z", Options);
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>An address as rules see it: IPv4 in IPv6 as IPv4, IPv6 as RFC 5952 writes it, without a zone; empty if there is none.</summary>
    public static string Spell(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6, ScopeId: not 0 } => new IPAddress(address.GetAddressBytes()).ToString(),
        _ => address.ToString(),
    };
}
