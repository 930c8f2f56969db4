namespace Grid.AspNetCore;

/// <summary>How a state-changing request with cookies proves that it comes from one of the application's own pages.</summary>
public enum AntiCsrfMode
{
    /// <summary>Not at all: SameSite cookies keep other sites out.</summary>
    None = 0,

    /// <summary>A token bound to the session, sent in the <c>anti-csrf</c> header.</summary>
    ViaToken = 1,

    /// <summary>Any <c>rid</c> header: other sites cannot send one without a CORS preflight.</summary>
    ViaCustomHeader = 2,
}
