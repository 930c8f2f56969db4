using Grid.Abstractions.Settings;
using Grid.WebFront.Upstream;

namespace Grid.Hosting.Settings;

/// <summary>The core behind Grid. Section <c>Grid:Upstream</c>; ranges in <see cref="SettingTable"/>.</summary>
internal sealed class UpstreamOptions
{
    public const string Section = "Grid:Upstream";

    public UpstreamOptions() => SettingBinding.SetDefaults(this, Section);

    public string? Uri { get; set; }

    public string? ApiKey { get; set; }

    public TimeSpan ConnectTimeout { get; set; }

    public TimeSpan Timeout { get; set; }

    /// <summary>Checked; null if there is no such core.</summary>
    /// <exception cref="SettingsException">Address or key cannot be used.</exception>
    public UpstreamSettings? Read()
    {
        if (string.IsNullOrEmpty(Uri))
        {
            return string.IsNullOrEmpty(ApiKey) ? null : throw new SettingsException("Grid:Upstream:ApiKey is set and Grid:Upstream:Uri is not: set the address of the core whose key it is, or remove the key.");
        }

        if (UpstreamSettings.WhyNot(Uri) is { } why)
        {
            throw new SettingsException($"{Section}:Uri {why}.");
        }

        // It becomes a header.
        return ApiKey?.All(letter => letter is > ' ' and <= '~') == false
            ? throw new SettingsException($"{Section}:ApiKey must consist of ASCII letters, digits and signs, without blanks.")
            : new UpstreamSettings { Uri = new Uri(Uri), ApiKey = string.IsNullOrEmpty(ApiKey) ? null : ApiKey, ConnectTimeout = ConnectTimeout, Timeout = Timeout };
    }
}
