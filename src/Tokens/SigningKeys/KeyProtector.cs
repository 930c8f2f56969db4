using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Grid.Tokens.SigningKeys;

/// <summary>Encrypts keys for the store: AES-256-GCM with a random nonce, bound to app, key id and purpose.</summary>
/// <remarks>Box: format (1), id of the key-encryption key (8), nonce (12), tag (16), ciphertext.</remarks>
public sealed class KeyProtector
{
    /// <summary>Bytes of the key-encryption key.</summary>
    public const int KeySize = 32;

    private const byte Format = 1;
    private const int KeyIdSize = 8;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int HeaderSize = 1 + KeyIdSize + NonceSize + TagSize;

    private readonly byte[] _key;
    private readonly byte[] _keyId;

    /// <param name="keyEncryptionKey">32 random bytes.</param>
    public KeyProtector(ReadOnlySpan<byte> keyEncryptionKey)
    {
        if (keyEncryptionKey.Length != KeySize)
        {
            throw new ArgumentException($"A key-encryption key has {KeySize} bytes, not {keyEncryptionKey.Length}.", nameof(keyEncryptionKey));
        }

        _key = keyEncryptionKey.ToArray();

        // Tells "another key" from "damaged" without telling anything about the key.
        _keyId = HMACSHA256.HashData(_key, "grid.key-id"u8)[..KeyIdSize];
    }

    /// <summary>Encrypts a secret. <paramref name="app"/>, <paramref name="kid"/> and <paramref name="kind"/> must be the same on opening.</summary>
    public byte[] Seal(string app, string kid, int kind, ReadOnlySpan<byte> secret)
    {
        var box = new byte[HeaderSize + secret.Length];
        box[0] = Format;
        _keyId.CopyTo(box.AsSpan(1));
        var nonce = box.AsSpan(1 + KeyIdSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagSize);
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

        if (!box.Slice(1, KeyIdSize).SequenceEqual(_keyId))
        {
            throw new KeyProtectionException($"Key {kid} was encrypted with another key-encryption key. Set Grid:Keys:EncryptionKeyFile to the file that this installation started with.");
        }

        var secret = new byte[box.Length - HeaderSize];
        using var aes = new AesGcm(_key, TagSize);
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
}

/// <summary>A stored key cannot be opened. The message names the key id and the repair, never key material.</summary>
public sealed class KeyProtectionException(string message) : Exception(message);
