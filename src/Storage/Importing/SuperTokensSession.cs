using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Storage.Importing;

/// <summary>A row of <c>session_info</c>, as the original has it.</summary>
public sealed record SuperTokensSession
{
    // What expires in an hour that has begun is purged after its end.
    private const long OneHour = 3_600_000;

    // As at Grid's doors, and in the original's column.
    private const int MaxUserIdLength = 128;

    /// <summary>The connection-URI domain whose database it is from; empty for none.</summary>
    public string Domain { get; init; } = "";

    /// <summary><c>app_id</c>; <c>public</c> where the table has none.</summary>
    public required string App { get; init; }

    /// <summary><c>tenant_id</c>; <c>public</c> where the table has none.</summary>
    public required string Tenant { get; init; }

    /// <summary><c>session_handle</c>, with the tenant behind it where it is not <c>public</c>.</summary>
    public required string Handle { get; init; }

    /// <summary>The user whom tokens of the session name: the primary one, if accounts are linked.</summary>
    public required string UserId { get; init; }

    /// <summary>The account that the session was made for; null for the user's own.</summary>
    public string? RecipeUserId { get; init; }

    /// <summary><c>refresh_token_hash_2</c>, hexadecimal.</summary>
    public required string CurrentHash { get; init; }

    /// <summary><c>prev_refresh_token_hash_2</c>; null before the first rotation by the newer rules, and where the table has none.</summary>
    public string? PreviousHash { get; init; }

    /// <summary><c>refresh_token_rotated_at</c>, ms.</summary>
    public long? RotatedAt { get; init; }

    /// <summary><c>jwt_user_payload</c>.</summary>
    public string? Payload { get; init; }

    /// <summary><c>session_data</c>.</summary>
    public string? Data { get; init; }

    /// <summary><c>use_static_key</c>; false where the table has none.</summary>
    public required bool UsesStaticKey { get; init; }

    /// <summary><c>created_at_time</c>, ms.</summary>
    public required long CreatedAt { get; init; }

    /// <summary><c>expires_at</c>, ms.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>As Grid keeps it.</summary>
    /// <param name="record">The session, if it can be kept.</param>
    /// <param name="why">Why it can't, without any value that might be secret.</param>
    public bool TryConvert([NotNullWhen(true)] out SessionRecord? record, [NotNullWhen(false)] out string? why)
    {
        record = null;
        TokenHash previous = default;
        if (!SessionHandle.TryParse(Handle, out var handle) || handle.TenantId != Tenant || !ImportFence.MayCome(handle))
        {
            why = "its handle is not a UUID of version 4 with the tenant behind it";
        }
        else if (!TokenHash.TryParseHex(CurrentHash, out var current) || (PreviousHash is not null && !TokenHash.TryParseHex(PreviousHash, out previous)))
        {
            why = "its refresh token's hash is not 64 hexadecimal digits";
        }
        else if (!IsObject(Payload) || !IsObject(Data))
        {
            why = "its payload or data is no JSON object";
        }
        else if (UserId.Length is 0 or > MaxUserIdLength || RecipeUserId?.Length > MaxUserIdLength)
        {
            why = "its user id is empty or longer than 128 characters";
        }
        else if (!StorableText.IsStorable(UserId) || !StorableText.IsStorable(RecipeUserId) || !StorableText.IsStorable(Payload) || !StorableText.IsStorable(Data))
        {
            why = "its user id, payload or data holds characters that can't be stored";
        }
        else if (!IsTime(CreatedAt) || !IsTime(ExpiresAt) || !IsTime(RotatedAt ?? 0))
        {
            why = "one of its times is before 1970 or after the year 9999";
        }
        else if (CreatedAt > ExpiresAt)
        {
            why = "it expires before it was made";
        }
        else
        {
            why = null;
            record = new SessionRecord
            {
                Key = new SessionKey(new AppKey(Domain, App), handle),
                UserId = UserId,
                RecipeUserId = RecipeUserId == UserId ? null : RecipeUserId,
                Chain = PreviousHash is null || RotatedAt is not { } rotatedAt
                    ? new RefreshChain(current)
                    : new RefreshChain(current, previous, DateTimeOffset.FromUnixTimeMilliseconds(rotatedAt)),
                PayloadJson = Payload ?? "{}",
                DataJson = Data ?? "{}",
                UseDynamicKey = !UsesStaticKey,
                CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
                ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt),
            };
            return true;
        }

        return false;
    }

    private static bool IsTime(long milliseconds) => milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() - OneHour;

    private static bool IsObject(string? json)
    {
        if (json is null or "{}")
        {
            return true;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
