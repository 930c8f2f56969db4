namespace Grid.Grains.Purge;

/// <summary>Deletes what has expired; one for the whole cluster, woken by a reminder. Key: 0.</summary>
[Alias("grid.purge")]
internal interface IPurgeGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that the reminder exists.</summary>
    [Alias("start")]
    Task StartAsync();
}
