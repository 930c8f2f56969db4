using Microsoft.AspNetCore.Authentication;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Remembers for a while what a cookie says: to unprotect it costs more than all else that a known session takes.</summary>
/// <remarks>
/// Only what was unprotected once is remembered, under its whole text. It names a session and no more: whether that is active is asked each
/// time. A Data Protection key that is revoked is noticed later by the time that a ticket may be old.
/// </remarks>
internal sealed class RememberedCookies(ISecureDataFormat<AuthenticationTicket> inner, TicketCache cache) : ISecureDataFormat<AuthenticationTicket>
{
    public string Protect(AuthenticationTicket data) => inner.Protect(data);

    public string Protect(AuthenticationTicket data, string? purpose) => inner.Protect(data, purpose);

    public AuthenticationTicket? Unprotect(string? protectedText) => Unprotect(protectedText, null);

    public AuthenticationTicket? Unprotect(string? protectedText, string? purpose)
    {
        if (protectedText is null || purpose is not null)
        {
            return inner.Unprotect(protectedText, purpose);
        }

        if (cache.TryFindCookie(protectedText, out var known))
        {
            return known.Clone();
        }

        var ticket = inner.Unprotect(protectedText);
        if (ticket is not null)
        {
            cache.SetCookie(protectedText, ticket.Clone());
        }

        return ticket;
    }
}
