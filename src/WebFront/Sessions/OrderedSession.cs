using Grid.Abstractions.Sessions;
using Grid.Client;

namespace Grid.WebFront.Sessions;

/// <summary>A session that a browser may redeem.</summary>
/// <param name="Ticket">The ticket to present.</param>
/// <param name="ExpiresAt">When the ticket expires.</param>
/// <param name="Handle">The session's handle, once it is created.</param>
public sealed record OrderedSession(string Ticket, DateTimeOffset ExpiresAt, SessionHandle Handle)
{
    /// <summary>Leaves out the ticket.</summary>
    public override string ToString() => "[ticket]";
}

/// <summary>A ticket that a browser has presented: genuine and not expired, but perhaps used before.</summary>
/// <param name="Handle">The session's handle, once it is created.</param>
/// <param name="Draft">The session that was ordered; the front may add to it.</param>
public sealed record OpenedTicket(SessionHandle Handle, SessionDraft Draft)
{
    /// <summary>The account by which the user signs in, if it is linked to a user with another id.</summary>
    public string? RecipeUserId { get; init; }
}
