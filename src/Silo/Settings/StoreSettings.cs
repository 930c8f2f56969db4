using System.ComponentModel.DataAnnotations;

namespace Grid.Silo.Settings;

/// <summary>Where sessions are kept. Section <c>Grid:Store</c>.</summary>
internal sealed class StoreSettings
{
    public const string Section = "Grid:Store";

    /// <summary>PostgreSQL: an Npgsql connection string or a <c>postgresql://</c> URI. Default none: the embedded file is used.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The embedded file. Default data/grid.db below the working directory.</summary>
    [Required(ErrorMessage = "Grid:Store:SqlitePath must name a file.")]
    public string SqlitePath { get; set; } = "data/grid.db";

    /// <summary>Start although PostgreSQL may lose acknowledged writes. Default false.</summary>
    public bool AllowUnsafeDurability { get; set; }

    /// <summary>Apply pending migrations at start; otherwise the start is refused while any is pending. Default true.</summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>Connections of the session store to PostgreSQL. Default 16; 2 … 1000.</summary>
    [Range(2, 1000, ErrorMessage = "Grid:Store:MaxConnections must lie between 2 and 1000.")]
    public int MaxConnections { get; set; } = 16;
}
