using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.Tokens;

namespace Grid.Hosting.Settings;

/// <summary>What this process tells of itself. Section <c>Grid:Telemetry</c>.</summary>
internal sealed class TelemetryOptions
{
    public const string Section = "Grid:Telemetry";

    public TelemetryOptions() => SettingBinding.SetDefaults(this, Section);

    public bool Metrics { get; set; }

    public string? MetricsKey { get; set; }

    public bool Dashboard { get; set; }

    /// <summary>Of <see cref="MetricsKey"/>; null if there is none.</summary>
    public TokenHash? MetricsKeyHash => MetricsKey is { Length: > 0 } key && ApiKeys.TryParse(key, out var hashes, out _) ? hashes[0] : null;
}
