using System.Net;
using System.Text.RegularExpressions;

namespace Grid.Abstractions.Apps;

/// <summary>An operator's or tenant's regular expression for addresses. It must match the whole address, as spelt here.</summary>
public static class AddressRule
{
    /// <summary>Longest new rule in characters: about twenty addresses.</summary>
    public const int MaxLength = 300;

    // Earlier builds accepted rules of this length; stored ones remain in force.
    private const int MaxStoredLength = 1000;

    // No backtracking: time is linear in the address for any pattern, and a pattern that needs a large automaton does not compile.
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase;

    /// <summary>Compiles the rule, anchored at both ends; null if the pattern is invalid or could cost too much.</summary>
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
