namespace Grid.Revocation.Holders;

/// <summary>A session's full name. The id alone is not enough: one app or tenant may know, and present, another's handles.</summary>
/// <param name="App">Text form of the app.</param>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Id">The handle's UUID.</param>
public readonly record struct SessionName(string App, string Tenant, Guid Id)
{
    /// <summary>Compares ids first: they are random, so text is hardly ever compared in vain.</summary>
    public bool Equals(SessionName other) => Id == other.Id && App == other.App && Tenant == other.Tenant;

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();
}

/// <summary>Names a user within a tenant.</summary>
internal readonly record struct UserName(string App, string Tenant, string UserId);
