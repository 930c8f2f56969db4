using System.Diagnostics.CodeAnalysis;
using System.Text;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>Checks access tokens; remembers valid signatures, so that a known token costs only a hash.</summary>
/// <remarks>
/// Knows one algorithm and no key but the ring's. What is remembered is tied to the key that verified it: a token of another
/// app, or of a key that left the ring, is checked from the start. Expiry is checked every time.
/// </remarks>
public sealed class AccessTokenVerifier
{
    // Larger ones are rare, and a hundred thousand of them would be gigabytes.
    private const int MaxRememberedLength = 4096;

    private static string _lastHeader = "";

    private readonly RememberedTokens _remembered;

    /// <param name="rememberedTokens">How many verified tokens to remember; about 1 KB each.</param>
    public AccessTokenVerifier(int rememberedTokens = 100_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rememberedTokens);
        _remembered = new RememberedTokens(rememberedTokens);
    }

    /// <summary>Checks structure, signature and expiry, in this order of trust. Never throws on bad input.</summary>
    public AccessTokenCheck Verify(string? token, KeyRing ring, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(ring);
        if (token is null || token.Length > AccessTokenReader.MaxLength)
        {
            return new AccessTokenCheck(AccessTokenOutcome.Malformed);
        }

        var hash = TokenHash.Of(token);
        if (_remembered.TryGet(hash, out var known) && ring.TryFind(known.Key.Kid, now, out var same) && ReferenceEquals(same, known.Key))
        {
            return Dated(known.Content, now);
        }

        var check = VerifyUnknown(token, ring, now, out var key);
        if (check.Outcome == AccessTokenOutcome.Valid && token.Length <= MaxRememberedLength)
        {
            _remembered.Add(hash, new RememberedToken(check.Content!, key!));
        }

        return check;
    }

    /// <summary>Reads a token without checking signature or expiry.</summary>
    public static bool TryReadUnverified(string? token, [NotNullWhen(true)] out AccessTokenContent? content)
    {
        content = null;
        return token is { Length: <= AccessTokenReader.MaxLength } && TrySplit(token, out var header, out var claims, out _)
            && AccessTokenReader.TryReadHeader(header, out _, out var version)
            && (content = AccessTokenReader.ReadClaims(claims, version)) is not null;
    }

    /// <summary>Whether the token's header is one of ours, to distinguish ours from an application's other bearer tokens. Proves nothing.</summary>
    public static bool LooksOurs(string? token)
    {
        if (token is not { Length: <= AccessTokenReader.MaxLength } || !TrySplit(token, out var header, out _, out _))
        {
            return false;
        }

        // All tokens of one key have the same header, character by character.
        if (header.SequenceEqual(Volatile.Read(ref _lastHeader)))
        {
            return true;
        }

        if (!AccessTokenReader.TryReadHeader(header, out _, out _))
        {
            return false;
        }

        Volatile.Write(ref _lastHeader, header.ToString());
        return true;
    }

    private static AccessTokenCheck VerifyUnknown(string token, KeyRing ring, DateTimeOffset now, out SigningKey? key)
    {
        key = null;
        if (!TrySplit(token, out var header, out var claims, out var signature)
            || !AccessTokenReader.TryReadHeader(header, out var kid, out var version))
        {
            return new AccessTokenCheck(AccessTokenOutcome.Malformed);
        }

        if (!ring.TryFind(kid, now, out key))
        {
            return new AccessTokenCheck(AccessTokenOutcome.UnknownKey);
        }

        Span<byte> signatureBytes = stackalloc byte[512];
        var signed = header.Length + 1 + claims.Length;
        Span<byte> signedBytes = signed <= 2048 ? stackalloc byte[signed] : new byte[signed];
        if (!CanonicalBase64Url.TryDecode(signature, signatureBytes, out var length)
            || Encoding.ASCII.GetBytes(token.AsSpan(0, signed), signedBytes) != signed
            || !key.Verify(signedBytes, signatureBytes[..length]))
        {
            return new AccessTokenCheck(AccessTokenOutcome.BadSignature);
        }

        return AccessTokenReader.ReadClaims(claims, version) is { } content
            ? Dated(content, now)
            : new AccessTokenCheck(AccessTokenOutcome.Malformed);
    }

    private static AccessTokenCheck Dated(AccessTokenContent content, DateTimeOffset now) => now < content.ExpiresAt
        ? new AccessTokenCheck(AccessTokenOutcome.Valid, content)
        : new AccessTokenCheck(AccessTokenOutcome.Expired, content);

    private static bool TrySplit(string token, out ReadOnlySpan<char> header, out ReadOnlySpan<char> claims, out ReadOnlySpan<char> signature)
    {
        header = claims = signature = default;
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first <= 0 || last <= first + 1 || last == token.Length - 1 || token.AsSpan(first + 1, last - first - 1).Contains('.'))
        {
            return false;
        }

        header = token.AsSpan(0, first);
        claims = token.AsSpan(first + 1, last - first - 1);
        signature = token.AsSpan(last + 1);
        return true;
    }
}
