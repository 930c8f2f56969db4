using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>How this process ends. Section <c>Grid:Shutdown</c>; range in <see cref="SettingTable"/>.</summary>
internal sealed class ShutdownOptions
{
    public const string Section = "Grid:Shutdown";

    public ShutdownOptions() => SettingBinding.SetDefaults(this, Section);

    public TimeSpan? Drain { get; set; }

    /// <summary><see cref="Drain"/>, or its default: a developer does not want to wait, and has no balancer.</summary>
    public TimeSpan DrainIn(string environment) => Drain ?? (environment == Environments.Development ? TimeSpan.Zero : TimeSpan.FromSeconds(5));
}
