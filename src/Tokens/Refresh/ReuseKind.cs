namespace Grid.Tokens.Refresh;

/// <summary>Which kind of retired token came back. Names on the wire: <c>RECENT_PREV</c>, <c>ORPHANED_BRANCH</c>, <c>STALE_LINEAGE</c>.</summary>
public enum ReuseKind
{
    /// <summary>No reuse.</summary>
    None = 0,

    /// <summary>The previous token, after its grace.</summary>
    RecentPrevious = 1,

    /// <summary>A child of the previous token.</summary>
    OrphanedBranch = 2,

    /// <summary>Anything older.</summary>
    StaleLineage = 3,
}
