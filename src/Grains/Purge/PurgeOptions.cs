using System.ComponentModel.DataAnnotations;

namespace Grid.Grains.Purge;

/// <summary>How expired rows leave the store. Section <c>Grid:Purge</c>.</summary>
public sealed class PurgeOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Grid:Purge";

    /// <summary>Time between two rounds. Default 5 minutes; 1 minute (the least that a reminder takes) … 1 day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00", ErrorMessage = "Grid:Purge:Period must lie between 00:01:00 and 1.00:00:00.")]
    public TimeSpan Period { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Rows per transaction. Default 500; 1 … 10,000.</summary>
    [Range(1, 10_000, ErrorMessage = "Grid:Purge:BatchSize must lie between 1 and 10000.")]
    public int BatchSize { get; set; } = 500;

    /// <summary>Rest between two transactions. Default 20 ms; 0 … 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10", ErrorMessage = "Grid:Purge:Pause must lie between 00:00:00 and 00:00:10.")]
    public TimeSpan Pause { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long entries of the revocation log are kept. Default 1 hour; 15 minutes … 30 days.</summary>
    [Range(typeof(TimeSpan), "00:15:00", "30.00:00:00", ErrorMessage = "Grid:Purge:KeepRevocations must lie between 00:15:00 and 30.00:00:00.")]
    public TimeSpan KeepRevocations { get; set; } = TimeSpan.FromHours(1);
}
