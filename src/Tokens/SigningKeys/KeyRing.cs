using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Grid.Tokens.SigningKeys;

/// <summary>An app's keys, opened: picks the key that signs now and finds those that verify. Immutable.</summary>
public sealed class KeyRing
{
    private readonly FrozenDictionary<string, SigningKey> _byKid;
    private readonly SigningKey[] _keys;
    private Published? _published;

    /// <param name="keys">All signing keys of the app, old, current and to come.</param>
    /// <param name="mac">The key of its refresh tokens.</param>
    /// <param name="nextChangeAt">When the next key will be published.</param>
    public KeyRing(IEnumerable<SigningKey> keys, RefreshMacKey mac, DateTimeOffset nextChangeAt)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(mac);
        _keys = [.. keys.OrderByDescending(k => k.SignsFrom)];
        _byKid = _keys.ToFrozenDictionary(k => k.Kid, StringComparer.Ordinal);
        Mac = mac;
        NextChangeAt = nextChangeAt;
    }

    /// <summary>Authenticates refresh tokens.</summary>
    public RefreshMacKey Mac { get; }

    /// <summary>When the next key will be published: until then a JWKS may be cached.</summary>
    public DateTimeOffset NextChangeAt { get; }

    /// <summary>The key of that kind that signs at <paramref name="now"/>: the latest that has started.</summary>
    /// <exception cref="InvalidOperationException">The app has no key of that kind.</exception>
    public SigningKey SigningKey(bool dynamic, DateTimeOffset now)
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

            // A clock that runs behind the silo that made the first key: sign with it all the same.
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
