namespace Grid.GrainDoors;

/// <summary>A grain for callers from outside the cluster; silos refuse them every other one.</summary>
/// <remarks>
/// A door is a stateless worker: it runs in the silo that the caller is connected to, beside others of its kind, and whoever waits in it holds up
/// nobody. Every call brings a <see cref="DoorCaller"/> in its request context. Nothing but a <see cref="DoorAnswer{T}"/> comes back, exceptions do
/// not. No method takes a cancellation token: its signal is a call of a grain of Orleans' own, which silos refuse, and what has begun goes on anyway.
/// </remarks>
[Alias("grid.door")]
internal interface IGrainDoor : IGrainWithStringKey
{
    /// <summary>A sign of life.</summary>
    /// <returns>Which silo it comes from: the one that this caller's other calls of this door go to as well, as long as it is connected to it.</returns>
    [Alias("ping")]
    Task<string> PingAsync();
}
