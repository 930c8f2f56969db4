using System.Globalization;
using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>How silos over one PostgreSQL find each other. Section <c>Grid:Cluster</c>.</summary>
internal sealed class ClusterOptions
{
    public const string Section = "Grid:Cluster";

    public ClusterOptions() => SettingBinding.SetDefaults(this, Section);

    public static int MaxIdLength { get; } = int.Parse(SettingTable.Find($"{Section}:{nameof(Id)}")!.Max!, CultureInfo.InvariantCulture);

    public string Id { get; set; } = null!;

    public string? Address { get; set; }

    public int SiloPort { get; set; }

    public int GatewayPort { get; set; }

    public string? CertificateFile { get; set; }

    public string? CertificateKeyFile { get; set; }

    public string? CertificateAuthorityFile { get; set; }

    public string? CertificateName { get; set; }

    public bool AllowUnencrypted { get; set; }
}
