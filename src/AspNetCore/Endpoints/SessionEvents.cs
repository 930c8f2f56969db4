using System.Reflection;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Grid.AspNetCore.Endpoints;

/// <summary><c>/session/events</c>: tells a page when its session ends. Also serves the script that a page includes for it.</summary>
/// <remarks>
/// Server-sent events (HTML Living Standard, section 9.2): one event <c>ended</c>, comments as heartbeats. Grid's own, beside the protocol.
/// </remarks>
internal static class SessionEvents
{
    // Below the idle timeouts of common proxies.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private static readonly string Script = EmbeddedText.Read(Assembly.GetExecutingAssembly(), "session-events.js");

    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        var check = await requests.CheckAsync(context, GridEndpoint.AnyClaims, HttpMethods.Get);
        if (context.Request.Query.ContainsKey("ended"))
        {
            // From a page that has received the event. The SDKs notify the application once if they find out by a refresh, but twice if a
            // response both refuses the session and clears it.
            await (check.Session is null
                ? FrontAnswers.WriteAsync(context, requests, new RequestCheck(RequestOutcome.TryRefresh))
                : FrontAnswers.OkAsync(context));
            return;
        }

        if (check.Session is not { } session)
        {
            await FrontAnswers.WriteAsync(context, requests, check);
            return;
        }

        var response = context.Response;
        using var place = requests.Streams.TryEnter((session.TenantId, session.Handle), context.Connection.RemoteIpAddress, out var refusal);
        if (place is null)
        {
            response.Headers.RetryAfter = "15";
            await FrontAnswers.MessageAsync(context, refusal, "too many event streams are open, please retry");
            return;
        }

        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, context.RequestAborted, stopping);
        try
        {
            while (!over.IsCancellationRequested)
            {
                await response.WriteAsync(": here\n\n", context.RequestAborted);
                await Task.Delay(Heartbeat, context.RequestServices.GetRequiredService<TimeProvider>(), over.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The session ended, the page was closed, or this process is stopping.
        }

        if (session.Ended.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            await response.WriteAsync("event: ended\ndata: {}\n\n", context.RequestAborted);
        }
    }

    public static Task ScriptAsync(HttpContext context, SessionRequests requests)
    {
        context.Response.ContentType = "text/javascript; charset=utf-8";
        context.Response.Headers.CacheControl = "public, max-age=3600";
        return context.Response.WriteAsync(Script);
    }
}
