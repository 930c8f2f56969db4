namespace Grid.Silo.Settings;

/// <summary>What goes to standard output. Section <c>Grid:Logging</c>.</summary>
internal sealed class LogOptions
{
    public const string Section = "Grid:Logging";

    /// <summary>One JSON object a line instead of text. Default false.</summary>
    public bool Json { get; set; }

    /// <summary>Of Grid's own lines. Default Information.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;
}
