using System.Net;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Grid.WebFront.Upstream;

/// <summary>Passes requests on to the core behind Grid, and its answers back: streamed, with the same method, path, query, headers, status and bytes.</summary>
internal sealed class UpstreamForwarder(IHttpForwarder forwarder, UpstreamClient client, UpstreamSettings settings, UpstreamFailures failures)
{
    private readonly UpstreamTransformer _transformer = new(client);

    private readonly ForwarderRequestConfig _config = new()
    {
        ActivityTimeout = settings.Timeout,
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Answers a request whose key Grid has accepted.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var target = new ForwardedTarget(Target(context));
        context.Features.Set(target);
        Refuse(context);

        // It is streamed: how large a body may be is for the core that reads it.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        AdmissionDoor.Enter(context);
        var error = await forwarder.SendAsync(context, settings.Prefix, client.Invoker, _config, _transformer, CancellationToken.None);
        if (target.Trouble != UpstreamTrouble.None)
        {
            await failures.WriteAsync(context, target.Trouble, null);
        }
        else if (error != ForwarderError.None && !context.RequestAborted.IsCancellationRequested)
        {
            await FailAsync(context, error);
        }
    }

    /// <summary>Path and query as they are sent on.</summary>
    /// <exception cref="CoreException">The path can be read in two ways, or the request has been here before.</exception>
    public static string Target(HttpContext context)
    {
        if (context.Request.Headers.ContainsKey(UpstreamClient.HopHeader))
        {
            throw new CoreException(508, "This request has come through a Grid already: Grid:Upstream:Uri leads back to Grid, and must be the address of the core behind it");
        }

        return RawTarget.Of(context) ?? throw new CoreException(400, "The path is ambiguous: it may have neither '.' nor '..' as a segment, nor ';', '\\', '#', an encoded '/', or a letter that only looks like i, s or k to some");
    }

    // What is no request to be answered: nothing of a core speaks WebSocket, and an echo of the request would show Grid's key.
    private static void Refuse(HttpContext context)
    {
        string? upgrade = context.Request.Headers.Upgrade;
        if (context.WebSockets.IsWebSocketRequest || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
            || upgrade?.StartsWith("websocket", StringComparison.OrdinalIgnoreCase) == true || upgrade?.StartsWith("spdy/", StringComparison.OrdinalIgnoreCase) == true)
        {
            throw new CoreException(400, "The core behind Grid has no WebSockets: this route takes ordinary requests");
        }

        if (HttpMethods.IsTrace(context.Request.Method) || HttpMethods.IsConnect(context.Request.Method))
        {
            throw new CoreException(405, "Method not supported");
        }
    }

    private Task FailAsync(HttpContext context, ForwarderError error)
    {
        var failure = context.Features.Get<IForwarderErrorFeature>()?.Exception;
        switch (error)
        {
            case ForwarderError.RequestBodyClient:
                // The client's doing; the forwarder has chosen the status.
                return CoreResponse.WriteTextAsync(context, context.Response.StatusCode, "The request's body did not arrive");
            case ForwarderError.RequestTimedOut when !UpstreamClient.IsConnectTimeout(failure):
                return failures.WriteAsync(context, UpstreamTrouble.Slow, failure);
            case ForwarderError.RequestBodyCanceled:
            case ForwarderError.RequestBodyDestination when context.Response.HasStarted:
                // It answered before it had read the whole request, which is its right.
                return Task.CompletedTask;
            case ForwarderError.ResponseHeaders:
                return failures.WriteAsync(context, UpstreamTrouble.Odd, failure);
            default:
                return failures.WriteAsync(context, UpstreamClient.TroubleOf(failure), failure);
        }
    }
}
