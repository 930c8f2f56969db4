namespace Grid.AspNetCore.TicketStore;

/// <summary>What an application asks of the cookie handler.</summary>
internal enum CookieCall
{
    /// <summary>Who it is; a renewal may follow.</summary>
    Authenticate,

    /// <summary>A new session.</summary>
    SignIn,

    /// <summary>The end of the session.</summary>
    SignOut,
}
