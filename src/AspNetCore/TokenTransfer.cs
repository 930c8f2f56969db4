namespace Grid.AspNetCore;

/// <summary>How tokens travel between browser and API.</summary>
public enum TokenTransfer
{
    /// <summary>As the client asks by <c>st-auth-mode</c>; header if it does not ask.</summary>
    Any = 0,

    Cookie = 1,

    /// <summary><c>Authorization: Bearer</c> and <c>st-…-token</c> headers, for clients without cookies.</summary>
    Header = 2,
}

/// <summary>How a state-changing request with cookies proves that it comes from our page.</summary>
public enum AntiCsrfMode
{
    /// <summary>Not at all: SameSite cookies keep other sites out.</summary>
    None = 0,

    /// <summary>A token bound to the session, sent in the <c>anti-csrf</c> header.</summary>
    ViaToken = 1,

    /// <summary>Any <c>rid</c> header: other sites cannot send one without a CORS preflight.</summary>
    ViaCustomHeader = 2,
}
