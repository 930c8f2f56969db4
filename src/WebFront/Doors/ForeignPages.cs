using System.Net;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Doors;

/// <summary>Tells whether a request may come from a web page that has no business here: where no key keeps strangers out, a developer's own browser must not let them in.</summary>
internal static class ForeignPages
{
    /// <summary>Whether a page made the request, any page. A person who typed the address did not, nor did a program.</summary>
    /// <remarks>
    /// Browsers send <c>Origin</c> with whatever changes something and with every WebSocket, and <c>Sec-Fetch-Site</c> with all else
    /// (Fetch, 3.2; Fetch Metadata).
    /// </remarks>
    public static bool IsFromPage(HttpRequest request) =>
        request.Headers.Origin.Count > 0 || (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "none");

    /// <summary>Whether the request names this machine by a name of its own. A foreign name that leads here is how a page makes itself ours (DNS rebinding).</summary>
    /// <param name="context">Of the request.</param>
    /// <param name="known">Other names that are ours; ports do not count.</param>
    /// <remarks>Only where the connection stays on this machine: nobody knows by which names others reach it.</remarks>
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
