namespace Grid.Revocation.Holders;

/// <summary>Names a session, in full: an id alone names nothing, for apps and tenants know each other's handles.</summary>
/// <param name="App">Text form of the app.</param>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Id">The handle's UUID.</param>
public readonly record struct SessionName(string App, string Tenant, Guid Id)
{
    /// <summary>Ids are random, so they tell names apart before any text is compared.</summary>
    public bool Equals(SessionName other) => Id == other.Id && App == other.App && Tenant == other.Tenant;

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();
}

/// <summary>Names a user within a tenant.</summary>
internal readonly record struct UserName(string App, string Tenant, string UserId);

/// <summary>A living session as the store holds it.</summary>
internal sealed record FoundSession
{
    public required SessionName Name { get; init; }

    public required string UserId { get; init; }

    /// <summary>The user's epoch when the session was made.</summary>
    public required long Epoch { get; init; }

    /// <summary>When it ends unless it is refreshed before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the caller wants to remember of it. Unlike the session's life it may be outdated.</summary>
    public object? Details { get; init; }
}
