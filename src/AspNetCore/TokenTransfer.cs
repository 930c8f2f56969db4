namespace Grid.AspNetCore;

/// <summary>How tokens travel between browser and API.</summary>
public enum TokenTransfer
{
    /// <summary>As the client requests with <c>st-auth-mode</c>; by header if it does not say.</summary>
    Any = 0,

    /// <summary>Cookies that no script can read.</summary>
    Cookie = 1,

    /// <summary><c>Authorization: Bearer</c> and <c>st-…-token</c> headers, for clients without cookies.</summary>
    Header = 2,
}
