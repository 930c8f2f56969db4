using System.ComponentModel.DataAnnotations;

namespace Grid.Silo.Settings;

/// <summary>How silos over one PostgreSQL find each other. Section <c>Grid:Cluster</c>.</summary>
internal sealed class ClusterOptions
{
    public const string Section = "Grid:Cluster";

    public const int MaxIdLength = 100;

    /// <summary>Silos with the same id form one cluster; the database remembers it. Default grid.</summary>
    [Required, StringLength(MaxIdLength, MinimumLength = 1)]
    public string Id { get; set; } = "grid";

    /// <summary>Address on which the other silos reach this one. Default 127.0.0.1: all on one machine. Never a public one.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port between silos over PostgreSQL. Default 0: a free one. A silo over the embedded file is alone and opens none.</summary>
    [Range(0, 65535, ErrorMessage = "Grid:Cluster:SiloPort must lie between 0 and 65535.")]
    public int SiloPort { get; set; }

    /// <summary>Port for Orleans clients, over PostgreSQL. Default 0: none. No grain takes their calls yet.</summary>
    [Range(0, 65535, ErrorMessage = "Grid:Cluster:GatewayPort must lie between 0 and 65535.")]
    public int GatewayPort { get; set; }
}
