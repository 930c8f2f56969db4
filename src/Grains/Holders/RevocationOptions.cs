using Grid.Abstractions.Settings;

namespace Grid.Grains.Holders;

/// <summary>How long a process may accept tokens on its own word. Section <c>Grid:Revocation</c>; defaults and ranges are in <see cref="SettingTable"/>.</summary>
public sealed class RevocationOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Grid:Revocation";

    /// <summary>With the defaults.</summary>
    public RevocationOptions() => SettingBinding.SetDefaults(this, Section);

    /// <summary>
    /// L: how long a process accepts known sessions after it last heard from the store. A revocation waits up to 1.25 L + 250 ms
    /// for a process that has vanished.
    /// </summary>
    public TimeSpan Lease { get; set; }

    /// <summary>Whether revocations wait for services that check tokens themselves, not only for silos.</summary>
    public bool WaitForServices { get; set; }

    /// <summary>Services that one silo lets connect.</summary>
    public int MaxServices { get; set; }

    /// <summary>
    /// Services of one app in the registry of the whole cluster, those included that have vanished and whose leases still run. An app's
    /// revocations wait for its own services only.
    /// </summary>
    public int MaxServicesPerApp { get; set; }

    /// <summary>Sessions that one process remembers; about 1 KB each.</summary>
    public int RememberedSessions { get; set; }
}
