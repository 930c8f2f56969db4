namespace Grid.Revocation.Registry;

/// <summary>Versions of the rules by which holders and silos work together (docs/revocation.md).</summary>
/// <remarks>
/// They follow each other by one, and a version keeps to the older one's rules while somebody is there who follows those. So neighbours work together, in
/// either direction, and a version can tell of one that is to come whether it is one.
/// </remarks>
internal static class HolderProtocol
{
    /// <summary>This program's.</summary>
    public const int Current = 1;

    /// <summary>The first there was; who says nothing follows it.</summary>
    public const int First = 1;

    /// <summary>The oldest that this program works with.</summary>
    public const int Oldest = Current - 1 > First ? Current - 1 : First;

    /// <summary>The newest that this program works with.</summary>
    public const int Newest = Current + 1;

    /// <summary>Whether holders and silos of that version and of this program's may be in one cluster.</summary>
    public static bool WorksWith(int other) => other is >= Oldest and <= Newest;

    /// <summary>That they may not; the reader knows whose version is meant.</summary>
    public static string Refusal(int other) => $"protocol: {other} is not one of {Oldest} to {Newest}, which this silo works with: upgrade {(other > Current ? "Grid" : "the service")}, by one version at a time";
}
