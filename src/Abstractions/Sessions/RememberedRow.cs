using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Grid.Tokens;

namespace Grid.Abstractions.Sessions;

/// <summary>What a silo keeps of a known session's row: enough to say that an access token agrees with it.</summary>
/// <remarks>
/// Packed into one array, because a silo remembers a million of them: of each hash 16 bytes, and the payload in UTF-8. Half a SHA-256 is what
/// nobody can find a second value for; and all that is said on its strength is yes, because whoever finds a difference reads the row again
/// (docs/decisions/0008, 0027).
/// </remarks>
public readonly struct RememberedRow
{
    private const int HashSize = TokenHash.Size / 2;
    private const int CreatedAtAt = HashSize * 2;
    private const int RestAt = CreatedAtAt + sizeof(long);

    // Beyond every time, which DateTimeOffset keeps within 48 bits: that there is a recipe user id, so that the many without one keep no byte for it.
    private const long HasRecipeUserId = 1L << 62;

    // Current hash, previous hash or zeros, milliseconds of the creation (their complement if the static key signs), length and text of the
    // recipe user id if there is one, payload.
    private readonly byte[] _bytes;

    private RememberedRow(byte[] bytes, string userId) => (_bytes, UserId) = (bytes, userId);

    /// <summary>Whose session it is.</summary>
    public string UserId { get; }

    /// <summary>When the session was created.</summary>
    public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(CreatedAndFlags & ~HasRecipeUserId);

    /// <summary>As in <see cref="SessionRecord"/>. Made anew with each call.</summary>
    public string? RecipeUserId => IsLinked ? Encoding.UTF8.GetString(_bytes.AsSpan(RestAt + sizeof(ushort), RecipeUserIdLength)) : null;

    /// <summary>Whether access tokens are signed with the rotating key.</summary>
    public bool UseDynamicKey => Created >= 0;

    /// <summary><c>userDataInJWT</c> as the row had it. Made anew with each call.</summary>
    public string PayloadJson => Encoding.UTF8.GetString(Payload);

    // Sessions are not older than the epoch.
    private long Created => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(CreatedAtAt));

    // Of either sign: the complement has every bit turned.
    private long CreatedAndFlags => UseDynamicKey ? Created : ~Created;

    private bool IsLinked => (CreatedAndFlags & HasRecipeUserId) != 0;

    private int RecipeUserIdLength => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(RestAt));

    private ReadOnlySpan<byte> Payload => _bytes.AsSpan(IsLinked ? RestAt + sizeof(ushort) + RecipeUserIdLength : RestAt);

    /// <summary>What to keep of a row.</summary>
    public static object Of(SessionRecord row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var recipeUser = row.RecipeUserId is { } id ? Encoding.UTF8.GetBytes(id) : null;
        var payloadAt = recipeUser is null ? RestAt : RestAt + sizeof(ushort) + recipeUser.Length;
        var bytes = new byte[payloadAt + Encoding.UTF8.GetByteCount(row.PayloadJson)];
        Copy(row.Chain.Current, bytes);
        if (row.Chain.Previous is { } previous)
        {
            Copy(previous, bytes.AsSpan(HashSize));
        }

        var created = Math.Max(row.CreatedAt.ToUnixTimeMilliseconds(), 0);
        if (recipeUser is not null)
        {
            created |= HasRecipeUserId;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(RestAt), (ushort)recipeUser.Length);
            recipeUser.CopyTo(bytes.AsSpan(RestAt + sizeof(ushort)));
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(CreatedAtAt), row.UseDynamicKey ? created : ~created);
        Encoding.UTF8.GetBytes(row.PayloadJson, bytes.AsSpan(payloadAt));
        return bytes;
    }

    /// <summary>Reads what was kept.</summary>
    /// <param name="kept">As <see cref="Of"/> made it.</param>
    /// <param name="userId">Whose session it is.</param>
    public static RememberedRow From(object kept, string userId) => new((byte[])kept, userId);

    /// <summary>What an access token is minted from. Data and expiry, of which it holds nothing, are not kept.</summary>
    public SessionSnapshot ToTokenSource(SessionHandle handle) => new()
    {
        Handle = handle,
        UserId = UserId,
        RecipeUserId = RecipeUserId,
        PayloadJson = PayloadJson,
        DataJson = "{}",
        UseDynamicKey = UseDynamicKey,
        CreatedAt = CreatedAt,
        ExpiresAt = DateTimeOffset.MaxValue,
    };

    /// <summary>Whether this was the current refresh token.</summary>
    /// <param name="token">A stored hash (<see cref="TokenHash.HashOfHex"/>).</param>
    public bool IsCurrent(TokenHash token) => Matches(token, _bytes.AsSpan(0, HashSize));

    /// <summary>Whether an access token's refresh token was on the current branch (newer rules of "Verify").</summary>
    /// <param name="token">Its stored hash.</param>
    /// <param name="parent">Stored hash of the token that it was refreshed from, if any.</param>
    public bool IsLive(TokenHash token, TokenHash? parent) => IsCurrentOrPrevious(token) || (parent is { } known && IsCurrentOrPrevious(known));

    /// <summary>Whether the row's payload was this very text. Allocates nothing where it is ASCII.</summary>
    public bool HasPayloadText(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Ascii.Equals(Payload, json) || (!Ascii.IsValid(json) && PayloadJson == json);
    }

    // Zeros are nobody's hash.
    private bool IsCurrentOrPrevious(TokenHash token) => IsCurrent(token) || Matches(token, _bytes.AsSpan(HashSize, HashSize));

    private static void Copy(TokenHash hash, Span<byte> target)
    {
        Span<byte> whole = stackalloc byte[TokenHash.Size];
        hash.CopyTo(whole);
        whole[..HashSize].CopyTo(target);
    }

    private static bool Matches(TokenHash token, ReadOnlySpan<byte> kept)
    {
        Span<byte> whole = stackalloc byte[TokenHash.Size];
        token.CopyTo(whole);
        return CryptographicOperations.FixedTimeEquals(whole[..HashSize], kept);
    }
}
