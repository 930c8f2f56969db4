using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Grid.Tokens.SigningKeys;

/// <summary>Encrypts keys for the store: AES-256-GCM with a random nonce, bound to app, key id and purpose.</summary>
/// <remarks>Box: format (1), id of the key-encryption key (8), nonce (12), tag (16), ciphertext.</remarks>
internal sealed class KeyProtector
{
    /// <summary>Bytes of the key-encryption key.</summary>
    public const int KeySize = 32;

    private const byte Format = 1;
    private const int KeyIdSize = 8;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int HeaderSize = 1 + KeyIdSize + NonceSize + TagSize;

    private const string CanaryName = "grid.installation";

    // The first one seals; all open.
    private readonly ImmutableArray<KeyEncryptionKey> _keys;

    /// <param name="keyEncryptionKey">32 random bytes; seals and opens.</param>
    /// <param name="others">Keys that only open, while an installation changes from one to the next.</param>
    public KeyProtector(ReadOnlySpan<byte> keyEncryptionKey, params IEnumerable<byte[]> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        _keys = [KeyEncryptionKey.From(keyEncryptionKey), .. others.Select(key => KeyEncryptionKey.From(key))];
        KeyId = Text(_keys[0].Id.AsSpan());
        KeyIds = [.. _keys.Select(key => Text(key.Id.AsSpan())).Distinct()];
    }

    private KeyProtector(ImmutableArray<KeyEncryptionKey> keys)
    {
        _keys = keys;
        KeyId = Text(keys[0].Id.AsSpan());
        KeyIds = [.. keys.Select(key => Text(key.Id.AsSpan()))];
    }

    /// <summary>Id of the sealing key, 16 hexadecimal digits. Not secret, and reveals nothing about the key.</summary>
    public string KeyId { get; }

    /// <summary>Ids of all keys that open, the sealing one first.</summary>
    public ImmutableArray<string> KeyIds { get; }

    /// <summary>The id of the key that made a box; "unknown" if it is none of ours.</summary>
    public static string KeyIdOf(ReadOnlySpan<byte> box) => box.Length >= HeaderSize && box[0] == Format ? Text(box.Slice(1, KeyIdSize)) : "unknown";

    /// <summary>The same keys, but sealing with that one.</summary>
    /// <returns>Null if it is not among them.</returns>
    public KeyProtector? SealingWith(string keyId) =>
        keyId == KeyId ? this
        : _keys.FirstOrDefault(key => Text(key.Id.AsSpan()) == keyId) is { } first ? new KeyProtector([first, .. _keys.Where(key => key != first)])
        : null;

    /// <summary>A box that only the same key opens: what an installation knows its key by.</summary>
    public byte[] SealCanary() => Seal(CanaryName, "canary", 0, RandomNumberGenerator.GetBytes(KeySize));

    /// <summary>Whether one of the keys made that canary.</summary>
    public bool OpensCanary(ReadOnlySpan<byte> canary) => Opens(CanaryName, "canary", 0, canary);

    /// <summary>Whether <see cref="Open"/> would.</summary>
    public bool Opens(string app, string kid, int kind, ReadOnlySpan<byte> box)
    {
        try
        {
            CryptographicOperations.ZeroMemory(Open(app, kid, kind, box));
            return true;
        }
        catch (KeyProtectionException)
        {
            return false;
        }
    }

    /// <summary>Encrypts a secret. <paramref name="app"/>, <paramref name="kid"/> and <paramref name="kind"/> must be the same on opening.</summary>
    public byte[] Seal(string app, string kid, int kind, ReadOnlySpan<byte> secret)
    {
        var box = new byte[HeaderSize + secret.Length];
        box[0] = Format;
        _keys[0].Id.CopyTo(box.AsSpan(1));
        var nonce = box.AsSpan(1 + KeyIdSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[0].Secret, TagSize);
        aes.Encrypt(nonce, secret, box.AsSpan(HeaderSize), box.AsSpan(HeaderSize - TagSize, TagSize), BoundTo(app, kid, kind));
        return box;
    }

    /// <summary>Decrypts what <see cref="Seal"/> made.</summary>
    /// <exception cref="KeyProtectionException">Another key-encryption key, another owner, or damaged.</exception>
    public byte[] Open(string app, string kid, int kind, ReadOnlySpan<byte> box)
    {
        if (box.Length < HeaderSize || box[0] != Format)
        {
            throw new KeyProtectionException($"Key {kid} is stored in a form that this version cannot read.");
        }

        var keyId = box.Slice(1, KeyIdSize);
        KeyEncryptionKey? key = null;
        foreach (var held in _keys)
        {
            if (held.Id.AsSpan().SequenceEqual(keyId))
            {
                key = held;
                break;
            }
        }

        if (key is null)
        {
            throw new KeyProtectionException(
                $"Key {kid} was encrypted with another key-encryption key ({Text(keyId)}). Set Grid:Keys:EncryptionKeyFile to the file that this installation started with.");
        }

        var secret = new byte[box.Length - HeaderSize];
        using var aes = new AesGcm(key.Secret, TagSize);
        try
        {
            aes.Decrypt(box.Slice(1 + KeyIdSize, NonceSize), box[HeaderSize..], box.Slice(HeaderSize - TagSize, TagSize), secret, BoundTo(app, kid, kind));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new KeyProtectionException($"Key {kid} is damaged in the store, or was moved there from another app.");
        }

        return secret;
    }

    private static string Text(ReadOnlySpan<byte> id) => Convert.ToHexStringLower(id);

    private static byte[] BoundTo(string app, string kid, int kind)
    {
        // Lengths first, so that no two owners share a spelling.
        var appBytes = Encoding.UTF8.GetBytes(app);
        var kidBytes = Encoding.UTF8.GetBytes(kid);
        var bound = new byte[8 + appBytes.Length + kidBytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bound, kind);
        BinaryPrimitives.WriteInt32LittleEndian(bound.AsSpan(4), appBytes.Length);
        appBytes.CopyTo(bound, 8);
        kidBytes.CopyTo(bound, 8 + appBytes.Length);
        return bound;
    }

    private sealed class KeyEncryptionKey(byte[] secret)
    {
        public byte[] Secret { get; } = secret;

        // Distinguishes "another key" from "damaged" without revealing anything about the key.
        public byte[] Id { get; } = HMACSHA256.HashData(secret, "grid.key-id"u8)[..KeyIdSize];

        public static KeyEncryptionKey From(ReadOnlySpan<byte> secret) => secret.Length == KeySize
            ? new KeyEncryptionKey(secret.ToArray())
            : throw new ArgumentException($"A key-encryption key has {KeySize} bytes, not {secret.Length}.", nameof(secret));
    }
}

/// <summary>A stored key cannot be opened. The message names the key id and the repair, never key material.</summary>
internal sealed class KeyProtectionException(string message) : Exception(message);
