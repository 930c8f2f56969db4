namespace Grid.Revocation.Relay;

/// <summary>How many holders a relay serves.</summary>
/// <param name="Capacity">In all, connected to this process.</param>
/// <param name="PerApp">Of one app, in the registry.</param>
internal sealed record RelayLimits(int Capacity = int.MaxValue, int PerApp = int.MaxValue);
