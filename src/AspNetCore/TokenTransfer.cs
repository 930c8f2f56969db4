namespace Grid.AspNetCore;

/// <summary>How tokens travel between browser and API.</summary>
public enum TokenTransfer
{
    /// <summary>As the client asks by <c>st-auth-mode</c>; header if it does not ask.</summary>
    Any = 0,

    /// <summary>Cookies that no script can read.</summary>
    Cookie = 1,

    /// <summary><c>Authorization: Bearer</c> and <c>st-…-token</c> headers, for clients without cookies.</summary>
    Header = 2,
}
