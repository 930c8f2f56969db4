namespace Grid.Client;

/// <summary>Names that other code may need.</summary>
public static class GridClientDefaults
{
    /// <summary>Tenant of sessions that name none.</summary>
    public const string TenantId = "public";
}
