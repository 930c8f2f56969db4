using Grid.Storage.Importing;

namespace Grid.Hosting.Settings;

/// <summary>A SuperTokens core whose sessions are taken over.</summary>
internal sealed class ImportOptions
{
    public const string Section = "Grid:Import";

    /// <summary>URI of the core's database; empty = nothing is read through.</summary>
    public string ReadThrough { get; set; } = "";

    /// <summary>The core's <c>postgresql_table_schema</c>.</summary>
    public string Schema { get; set; } = "public";

    /// <summary>The core's <c>postgresql_table_names_prefix</c>.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>Where to look up what is unknown; null = nowhere.</summary>
    /// <exception cref="SettingsException">The URI is none.</exception>
    public SuperTokensSource? Read() =>
        ReadThrough.Length == 0 ? null : new SuperTokensSource(ConnectionUri.Parse(ReadThrough, "Grid:Import:ReadThrough").ToString(), Schema, Prefix);
}
