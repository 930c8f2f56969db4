using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Endpoints;
using Grid.WebFront.Doors;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Front.FirstPage;

/// <summary>The page that shows Grid at work, and the two calls that it makes. For development only: it signs in anyone who asks.</summary>
internal static class FirstPageEndpoints
{
    private const string UserId = "first-page-demo";

    // Embedded under these names, so that a page of one version leads to the documents of the same one.
    private const string Documents = "docs/";

    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void MapFirstPage(this IEndpointRouteBuilder front, string basePath)
    {
        var page = Read("first-page.html").Replace("{{base}}", HtmlEncoder.Default.Encode(basePath), StringComparison.Ordinal);
        front.MapText("/", "text/html; charset=utf-8", context => page.Replace("{{core}}", HtmlEncoder.Default.Encode(CoreUrl(context)), StringComparison.Ordinal));
        front.MapText("/first-page.css", "text/css; charset=utf-8", Read("first-page.css"));
        front.MapText("/first-page.js", "text/javascript; charset=utf-8", Read("first-page.js"));
        foreach (var name in Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Documents, StringComparison.Ordinal)))
        {
            front.MapText($"/first-page/docs/{name[Documents.Length..]}", "text/plain; charset=utf-8", EmbeddedText.Read(Assembly.GetExecutingAssembly(), name));
        }

        front.MapFront("POST", "/first-page/session", SignInAsync);
        front.MapFront("POST", "/first-page/end-all", EndAllAsync);
    }

    private static async Task SignInAsync(HttpContext context, SessionRequests requests)
    {
        if (Refusal(context, requests) is { } refusal)
        {
            await FrontAnswers.MessageAsync(context, refusal.Status, refusal.Why);
            return;
        }

        var session = await context.SignInGridAsync(UserId);
        await FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["handle"] = session.Handle, ["userId"] = session.UserId });
    }

    private static async Task EndAllAsync(HttpContext context, SessionRequests requests)
    {
        if (Refusal(context, requests) is { } refusal)
        {
            await FrontAnswers.MessageAsync(context, refusal.Status, refusal.Why);
            return;
        }

        var started = Stopwatch.GetTimestamp();
        var ended = await requests.Sessions.RevokeUserAsync(UserId, tenantId: null, exceptHandle: null, CancellationToken.None);
        await FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject
        {
            ["ended"] = ended.Handles.Count,
            ["milliseconds"] = Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 2),
        });
    }

    // Pages of other sites cannot send rid, unless their name resolves to this machine; and of our pages only this one may.
    private static (int Status, string Why)? Refusal(HttpContext context, SessionRequests requests)
    {
        var request = context.Request;
        return !request.Headers.ContainsKey("rid") ? (StatusCodes.Status400BadRequest, "send the header 'rid: session'")
            : !IsOwnName(context, requests) || (request.Headers.Origin is { Count: > 0 } origin && origin != $"{request.Scheme}://{request.Host}")
                ? (StatusCodes.Status403Forbidden, "the first page works only at this machine's own address, and for no other page")
            : null;
    }

    private static bool IsOwnName(HttpContext context, SessionRequests requests) =>
        ForeignPages.NamesThisMachine(context, Uri.TryCreate(requests.Options.ApiDomain, UriKind.Absolute, out var domain) ? domain.Host : null);

    // The core's socket is opened first; the system may have chosen its port.
    private static string CoreUrl(HttpContext context)
    {
        var address = context.RequestServices.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        return Uri.TryCreate(address, UriKind.Absolute, out var url)
            ? $"http://{(url.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : url.Host)}:{url.Port}"
            : "http://127.0.0.1:3567";
    }

    private static string Read(string name) => EmbeddedText.Read(Assembly.GetExecutingAssembly(), name);

    private static void MapText(this IEndpointRouteBuilder front, string path, string type, string text) => front.MapText(path, type, _ => text);

    private static void MapText(this IEndpointRouteBuilder front, string path, string type, Func<HttpContext, string> text)
    {
        front.MapFront("GET", path, async (context, requests) =>
        {
            if (!IsOwnName(context, requests))
            {
                await FrontAnswers.MessageAsync(context, StatusCodes.Status403Forbidden, "the first page works only at this machine's own address");
                return;
            }

            var bytes = Encoding.UTF8.GetBytes(text(context));
            context.Response.ContentType = type;
            context.Response.ContentLength = bytes.Length;
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.CacheControl = "no-cache";
            await context.Response.BodyWriter.WriteAsync(bytes);
        });
    }
}
