using Grid.Abstractions.Sessions;

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
