using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Grid.Tokens.Refresh;

namespace Grid.Tokens.SigningKeys;

/// <summary>An app's keys, opened: picks the key that signs now and finds those that verify. Immutable.</summary>
public sealed class KeyRing
{
    private readonly FrozenDictionary<string, SigningKey> _byKid;
    private readonly SigningKey[] _keys;
    private readonly RefreshMacKey? _mac;
    private readonly FrozenSet<string> _unreadable = [];
    private readonly Func<Exception> _noMac = () => new InvalidOperationException("A ring of published keys has no secrets.");
    private Published? _published;

    /// <param name="keys">All signing keys of the app, old, current and to come.</param>
    /// <param name="mac">The key of its refresh tokens.</param>
    /// <param name="nextChangeAt">When the next key will be published.</param>
    internal KeyRing(IEnumerable<SigningKey> keys, RefreshMacKey mac, DateTimeOffset nextChangeAt)
        : this(keys, nextChangeAt, mac ?? throw new ArgumentNullException(nameof(mac)))
    {
    }

    /// <param name="keys">The signing keys that could be opened.</param>
    /// <param name="mac">The key of its refresh tokens; null if it could not be opened.</param>
    /// <param name="nextChangeAt">When the next key will be published.</param>
    /// <param name="unreadable">Ids of the stored keys that could not be opened.</param>
    /// <param name="noMac">Exception for callers of <see cref="Mac"/> if there is none.</param>
    /// <param name="imported">Keys of refresh tokens that came with imported sessions.</param>
    internal KeyRing(
        IEnumerable<SigningKey> keys, RefreshMacKey? mac, DateTimeOffset nextChangeAt, IEnumerable<string> unreadable, Func<Exception> noMac,
        ImmutableArray<ImportedRefreshKey> imported)
        : this(keys, nextChangeAt, mac)
    {
        ImportedRefreshKeys = imported;
        _unreadable = unreadable.ToFrozenSet(StringComparer.Ordinal);
        _noMac = noMac;
    }

    private KeyRing(IEnumerable<SigningKey> keys, DateTimeOffset nextChangeAt, RefreshMacKey? mac)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _keys = [.. keys.OrderByDescending(k => k.SignsFrom)];
        _byKid = _keys.ToFrozenDictionary(k => k.Kid, StringComparer.Ordinal);
        _mac = mac;
        NextChangeAt = nextChangeAt;
    }

    /// <summary>Authenticates refresh tokens.</summary>
    /// <exception cref="InvalidOperationException">The ring came from published keys and can only verify.</exception>
    internal RefreshMacKey Mac => _mac ?? throw _noMac();

    /// <summary>Open the refresh tokens of imported sessions that have not been exchanged yet; mostly none.</summary>
    internal ImmutableArray<ImportedRefreshKey> ImportedRefreshKeys { get; } = [];

    /// <summary>Whether the app has a stored key of this id that could not be opened.</summary>
    internal bool IsUnreadable(string kid) => _unreadable.Contains(kid);

    /// <summary>A ring that verifies with the keys of a JWKS document (RFC 7517); entries that are not RS256 keys of ours are skipped.</summary>
    /// <param name="jwks">UTF-8.</param>
    /// <param name="nextChangeAt">Time of the next fetch.</param>
    /// <param name="keep">The previous ring: keys that it holds are reused, so that tokens which they verified stay remembered.</param>
    /// <param name="isRevoked">Key ids to leave out.</param>
    /// <exception cref="JsonException">Not a JWKS document.</exception>
    public static KeyRing FromJwks(ReadOnlyMemory<byte> jwks, DateTimeOffset nextChangeAt, KeyRing? keep = null, Predicate<string>? isRevoked = null)
    {
        using var document = JsonDocument.Parse(jwks);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys"u8, out var entries) || entries.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException("A JWKS document is an object with an array \"keys\".");
        }

        List<SigningKey> keys = [];
        foreach (var entry in entries.EnumerateArray())
        {
            if (SigningKeys.SigningKey.FromJwk(entry) is { } key && isRevoked?.Invoke(key.Kid) != true)
            {
                keys.Add(keep is not null && keep._byKid.TryGetValue(key.Kid, out var known) && known.Modulus == key.Modulus ? known : key);
            }
        }

        return new KeyRing(keys, nextChangeAt, mac: null);
    }

    /// <summary>When the next key will be published: until then a JWKS may be cached.</summary>
    public DateTimeOffset NextChangeAt { get; }

    /// <summary>The key of that kind that signs at <paramref name="now"/>: the latest that has started.</summary>
    /// <exception cref="InvalidOperationException">The app has no key of that kind.</exception>
    internal SigningKey SigningKey(bool dynamic, DateTimeOffset now)
    {
        SigningKey? earliest = null;
        foreach (var key in _keys)
        {
            if (key.IsDynamic != dynamic)
            {
                continue;
            }

            if (key.SignsFrom <= now)
            {
                return key;
            }

            // This clock is behind the silo that created the first key; sign with that key anyway.
            earliest = key;
        }

        return earliest ?? throw new InvalidOperationException($"The app has no {(dynamic ? "dynamic" : "static")} signing key.");
    }

    /// <summary>The key that verifies tokens with this key id at <paramref name="now"/>.</summary>
    public bool TryFind(string kid, DateTimeOffset now, [NotNullWhen(true)] out SigningKey? key) =>
        _byKid.TryGetValue(kid, out key) && key.VerifiesAt(now);

    /// <summary>The JWKS document: every key that verifies at <paramref name="now"/>, those not yet signing included.</summary>
    public ReadOnlyMemory<byte> JwksJson(DateTimeOffset now)
    {
        var published = _published;
        if (published is null || now >= published.ValidUntil || now < published.MadeAt)
        {
            _published = published = Publish(now);
        }

        return published.Json;
    }

    private Published Publish(DateTimeOffset now)
    {
        var json = new StringBuilder("""{"keys":[""");
        var validUntil = DateTimeOffset.MaxValue;
        foreach (var key in _keys.Where(k => k.VerifiesAt(now)))
        {
            if (json[^1] == '}')
            {
                json.Append(',');
            }

            key.AppendJwk(json);
            if (key.VerifiesUntil is { } end && end < validUntil)
            {
                validUntil = end;
            }
        }

        return new Published(Encoding.ASCII.GetBytes(json.Append("]}").ToString()), now, validUntil);
    }

    private sealed record Published(byte[] Json, DateTimeOffset MadeAt, DateTimeOffset ValidUntil);
}
