using Grid.Tokens.Refresh;

namespace Grid.Abstractions.Sessions;

/// <summary>A session as the store holds it: one row. Times have millisecond precision.</summary>
/// <remarks>Stays inside one process; what grains answer is <see cref="SessionSnapshot"/>, which holds no hash.</remarks>
public sealed record SessionRecord
{
    public required SessionKey Key { get; init; }

    /// <summary>Whose it is: of accounts that are linked to one user, the primary user's id. What ends "all sessions of a user" goes by it.</summary>
    public required string UserId { get; init; }

    /// <summary>The account by which the user signed in, if it is linked to a user with another id; null if it is <see cref="UserId"/>, which is the normal case.</summary>
    public string? RecipeUserId { get; init; }

    /// <summary>The user's epoch when the session was created; set by the store's insert.</summary>
    public long UserEpoch { get; init; }

    /// <summary>1 on insert, one more on each update; an update with another expected version is refused.</summary>
    public long Version { get; init; } = 1;

    public required RefreshChain Chain { get; init; }

    /// <summary><c>userDataInJWT</c>: the JSON object's text exactly as received.</summary>
    public required string PayloadJson { get; init; }

    /// <summary><c>userDataInDatabase</c>: the JSON object's text exactly as received.</summary>
    public required string DataJson { get; init; }

    /// <summary>Whether access tokens are signed with the rotating key (kid <c>d-…</c>) or the static one (<c>s-…</c>).</summary>
    public required bool UseDynamicKey { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From this moment the session does not exist, whether or not its row was purged.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The view without secrets.</summary>
    public SessionSnapshot ToSnapshot() => new()
    {
        Handle = Key.Handle,
        UserId = UserId,
        RecipeUserId = RecipeUserId,
        PayloadJson = PayloadJson,
        DataJson = DataJson,
        UseDynamicKey = UseDynamicKey,
        CreatedAt = CreatedAt,
        ExpiresAt = ExpiresAt,
    };
}
