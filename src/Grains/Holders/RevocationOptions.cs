using System.ComponentModel.DataAnnotations;
using Grid.Revocation;

namespace Grid.Grains.Holders;

/// <summary>How long a process may accept tokens on its own word. Section <c>Grid:Revocation</c>.</summary>
public sealed class RevocationOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Grid:Revocation";

    /// <summary>
    /// L: how long a process accepts known sessions after it last heard from the store. A revocation waits up to 1.25 L + 250 ms
    /// for a process that has vanished. Default 10 s; 2 s … 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:01:00", ErrorMessage = "Grid:Revocation:Lease must lie between 00:00:02 and 00:01:00.")]
    public TimeSpan Lease { get; set; } = LeaseTerms.Standard.Lease;

    /// <summary>Whether revocations wait for services that check tokens themselves, not only for silos. Default true.</summary>
    public bool WaitForServices { get; set; } = true;

    /// <summary>Services that one silo lets connect. Default 1,000; 0 … 100,000.</summary>
    [Range(0, 100_000, ErrorMessage = "Grid:Revocation:MaxServices must lie between 0 and 100000.")]
    public int MaxServices { get; set; } = 1_000;

    /// <summary>
    /// Services of one app in the registry of the whole cluster, those included that have vanished and whose leases still run. An app's
    /// revocations wait for its own services only. Default 200; 0 … 100,000.
    /// </summary>
    [Range(0, 100_000, ErrorMessage = "Grid:Revocation:MaxServicesPerApp must lie between 0 and 100000.")]
    public int MaxServicesPerApp { get; set; } = 200;

    /// <summary>Sessions that one process remembers; about 1 KB each. Default 200,000; 1,000 … 10,000,000.</summary>
    [Range(1_000, 10_000_000, ErrorMessage = "Grid:Revocation:RememberedSessions must lie between 1000 and 10000000.")]
    public int RememberedSessions { get; set; } = 200_000;
}
