using Grid.Abstractions.Settings;

namespace Grid.Grains.Purge;

/// <summary>How expired rows are deleted. Section <c>Grid:Purge</c>; defaults and ranges are in <see cref="SettingTable"/>.</summary>
public sealed class PurgeOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Grid:Purge";

    /// <summary>Creates options with the defaults.</summary>
    public PurgeOptions() => SettingBinding.SetDefaults(this, Section);

    /// <summary>Time between two rounds. At least 1 minute: a reminder takes no less.</summary>
    public TimeSpan Period { get; set; }

    /// <summary>Rows per transaction.</summary>
    public int BatchSize { get; set; }

    /// <summary>Pause between two transactions.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>How long entries of the revocation log are kept.</summary>
    public TimeSpan KeepRevocations { get; set; }
}
