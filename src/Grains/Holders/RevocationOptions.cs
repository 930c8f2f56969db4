using Grid.Abstractions.Settings;

namespace Grid.Grains.Holders;

/// <summary>How long a process may accept tokens from memory. Section <c>Grid:Revocation</c>; defaults and ranges are in <see cref="SettingTable"/>.</summary>
public sealed class RevocationOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Grid:Revocation";

    /// <summary>Creates options with the defaults.</summary>
    public RevocationOptions() => SettingBinding.SetDefaults(this, Section);

    /// <summary>
    /// L: how long a process accepts known sessions after it last heard from the store. A revocation waits up to 1.25 L + 250 ms
    /// for a process that has vanished.
    /// </summary>
    public TimeSpan Lease { get; set; }

    /// <summary>Whether revocations wait for services that check tokens themselves, not only for silos.</summary>
    public bool WaitForServices { get; set; }

    /// <summary>How many services may connect to one silo.</summary>
    public int MaxServices { get; set; }

    /// <summary>
    /// How many services of one app the cluster's registry may hold, counting those that have vanished and whose leases still run. An app's
    /// revocations wait for its own services only.
    /// </summary>
    public int MaxServicesPerApp { get; set; }

    /// <summary>How many sessions one process remembers; about 300 bytes each, and what their payloads exceed 64 by.</summary>
    public int RememberedSessions { get; set; }
}
