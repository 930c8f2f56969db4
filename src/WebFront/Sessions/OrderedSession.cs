using Grid.Abstractions.Sessions;
using Grid.Client;

namespace Grid.WebFront.Sessions;

/// <summary>A session that a browser may fetch.</summary>
/// <param name="Ticket">What it presents for it.</param>
/// <param name="ExpiresAt">When the ticket expires.</param>
/// <param name="Handle">Of the session, once it is made.</param>
public sealed record OrderedSession(string Ticket, DateTimeOffset ExpiresAt, SessionHandle Handle)
{
    /// <summary>Not the ticket.</summary>
    public override string ToString() => "[ticket]";
}

/// <summary>A ticket that a browser has presented: genuine and in time, perhaps used before.</summary>
/// <param name="Handle">The session's, once it is created.</param>
/// <param name="Draft">The session that was ordered; who redeems it may add to it.</param>
public sealed record OpenedTicket(SessionHandle Handle, SessionDraft Draft);
