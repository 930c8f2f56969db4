using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Grid.Tokens;

/// <summary>A SHA-256 value. Compared in constant time, so that a lookup by hash leaks nothing about its neighbours.</summary>
/// <remarks>
/// Naming follows <c>docs/protocol/core.md</c>, "Tokens": <c>refreshTokenHash1</c> is the hash of the refresh token string and
/// travels inside access tokens; the store keeps the hash of that value's lower-case hex (see <see cref="HashOfHex"/>).
/// </remarks>
public readonly struct TokenHash : IEquatable<TokenHash>
{
    /// <summary>Bytes in a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly Words _words;

    private TokenHash(ReadOnlySpan<byte> bytes) => bytes.CopyTo(MemoryMarshal.AsBytes((Span<ulong>)_words));

    /// <summary>Hashes the UTF-8 bytes of <paramref name="text"/>.</summary>
    public static TokenHash Of(ReadOnlySpan<char> text)
    {
        // Every token of ours fits on the stack; longer text is foreign and may cost an array.
        Span<byte> utf8 = text.Length <= 2048 ? stackalloc byte[Encoding.UTF8.GetMaxByteCount(text.Length)] : new byte[Encoding.UTF8.GetByteCount(text)];
        return Of(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    /// <summary>Hashes <paramref name="bytes"/>.</summary>
    public static TokenHash Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(bytes, hash);
        return new TokenHash(hash);
    }

    /// <summary>Wraps 32 bytes that are already a hash, as read from the store.</summary>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static TokenHash FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Size
        ? new TokenHash(bytes)
        : throw new ArgumentException($"A token hash has {Size} bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>Reads 64 lower-case hex digits; anything else is refused.</summary>
    public static bool TryParseHex([NotNullWhen(true)] string? hex, out TokenHash hash)
    {
        hash = default;
        if (hex is not { Length: Size * 2 } || hex.AsSpan().ContainsAnyExcept(HexDigits))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Size];
        Convert.FromHexString(hex, bytes, out _, out _);
        hash = new TokenHash(bytes);
        return true;
    }

    /// <summary>The SHA-256 of this value's lower-case hex digits: turns <c>refreshTokenHash1</c> into what the store keeps.</summary>
    public TokenHash HashOfHex()
    {
        Span<byte> hex = stackalloc byte[Size * 2];
        Convert.TryToHexStringLower(AsBytes(), hex, out _);
        return Of(hex);
    }

    /// <summary>64 lower-case hex digits.</summary>
    public string ToHex() => Convert.ToHexStringLower(AsBytes());

    /// <summary>Copies the 32 bytes to the start of <paramref name="target"/>.</summary>
    public void CopyTo(Span<byte> target) => AsBytes().CopyTo(target);

    /// <summary>A copy of the 32 bytes.</summary>
    public byte[] ToArray() => AsBytes().ToArray();

    /// <inheritdoc/>
    public bool Equals(TokenHash other) => CryptographicOperations.FixedTimeEquals(AsBytes(), other.AsBytes());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TokenHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => MemoryMarshal.Read<int>(AsBytes());

    /// <summary>Never the value: hashes stay out of logs.</summary>
    public override string ToString() => "[token hash]";

    /// <summary>Whether they are the same hash; takes as long either way.</summary>
    public static bool operator ==(TokenHash left, TokenHash right) => left.Equals(right);

    /// <summary>Whether they differ; takes as long either way.</summary>
    public static bool operator !=(TokenHash left, TokenHash right) => !left.Equals(right);

    [UnscopedRef]
    private ReadOnlySpan<byte> AsBytes() => MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)_words);

    [InlineArray(4)]
    private struct Words
    {
        private ulong _first;
    }
}
