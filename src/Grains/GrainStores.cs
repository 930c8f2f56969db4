namespace Grid.Grains;

/// <summary>Names of grain storage providers.</summary>
public static class GrainStores
{
    /// <summary>Ordinary grain state: apps, tenants, settings, keys. Sessions are not in it; they have a store of their own.</summary>
    public const string State = "grid";
}
