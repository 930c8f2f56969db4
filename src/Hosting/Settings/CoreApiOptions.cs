using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>The core API's door. Section <c>Grid:Core</c>; what apps have of their own in it is in <c>AppDefaults</c>.</summary>
internal sealed class CoreApiOptions
{
    public const string Section = "Grid:Core";

    public CoreApiOptions() => SettingBinding.SetDefaults(this, Section);

    public string Address { get; set; } = null!;

    public int Port { get; set; }

    public string? BasePath { get; set; }

    public int? MaxConnections { get; set; }

    public bool AllowInsecureAddress { get; set; }
}
