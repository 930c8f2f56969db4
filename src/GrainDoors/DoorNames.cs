namespace Grid.GrainDoors;

/// <summary>Types of the door grains: a client that has not heard yet what a cluster has can still address them.</summary>
internal static class DoorNames
{
    public const string Sessions = "grid-session-door";
    public const string Users = "grid-user-door";
    public const string Keys = "grid-key-door";
    public const string Holders = "grid-holder-door";
    public const string Watches = "grid-watch-door";

    /// <summary>The key of each: a stateless worker needs but one.</summary>
    public const string Key = "0";
}
