namespace Grid.AspNetCore.Browser;

/// <summary>What the refresh endpoint answers.</summary>
internal enum RefreshAnswer
{
    Refreshed,
    Unauthorised,
    TokenTheft,

    /// <summary>Cookies of the older domain are cleared; the next refresh will do.</summary>
    DuplicatesCleared,
}
