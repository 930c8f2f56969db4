using Microsoft.AspNetCore.Authentication;

namespace Grid.AspNetCore.TicketStore;

/// <summary>A ticket as it was stored.</summary>
/// <param name="Ticket">Never handed out; callers get a clone. Null if what is stored cannot be opened, or the session has ended.</param>
/// <param name="Version">Distinguishes it from earlier and later versions.</param>
/// <param name="Size">Approximate size in memory, in bytes.</param>
/// <param name="ReadAt">When it was written, or when its reading began.</param>
internal sealed record CachedTicket(AuthenticationTicket? Ticket, string Version, long Size, long ReadAt)
{
    /// <summary>It is read again once when its renewal is due; if it is due still, the application does not renew it.</summary>
    public bool WasDue { get; init; }

    /// <summary>The session is over: no handle is given twice, so that nobody need ask again.</summary>
    public bool IsOver { get; init; }

    /// <summary>It is over, or not known yet to whoever was asked: this is worth little, and not for long.</summary>
    public bool IsUnsure { get; init; }
}
