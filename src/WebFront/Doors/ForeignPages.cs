using System.Net;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Doors;

/// <summary>
/// Tells whether a request may come from a foreign web page: where no key is required, a developer's own browser must not let one in.
/// </summary>
internal static class ForeignPages
{
    /// <summary>Whether any web page made the request, as opposed to a program or a person who typed the address.</summary>
    /// <remarks>
    /// Browsers send <c>Origin</c> with state-changing requests and WebSockets, and <c>Sec-Fetch-Site</c> with everything else
    /// (Fetch, 3.2; Fetch Metadata).
    /// </remarks>
    public static bool IsFromPage(HttpRequest request) =>
        request.Headers.Origin.Count > 0 || (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "none");

    /// <summary>
    /// Whether the request addresses this machine by one of its own names. A foreign name that resolves to it is how a page gets around
    /// same-origin rules (DNS rebinding).
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="known">Another name that is ours; ports are ignored.</param>
    /// <remarks>Checked only for connections within this machine: the names by which others reach it are not known.</remarks>
    public static bool NamesThisMachine(HttpContext context, params ReadOnlySpan<string?> known)
    {
        var here = context.Connection.LocalIpAddress;
        var host = context.Request.Host.Host;
        if (here is null || !IPAddress.IsLoopback(here) || host.Length == 0 || ThisMachine.IsNamedBy(host))
        {
            return true;
        }

        foreach (var name in known)
        {
            if (string.Equals(host, name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
