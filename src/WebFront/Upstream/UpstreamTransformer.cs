using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Grid.WebFront.Upstream;

/// <summary>A request and its answer pass unchanged, except for the key, which is another one on either side.</summary>
internal sealed class UpstreamTransformer(UpstreamClient client) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var headers = proxyRequest.Headers;

        // Either may hold the client's key, which is Grid's.
        headers.Remove("Authorization");
        client.Mark(headers);

        // Kestrel has asked for the body, or does so when it is read.
        headers.Remove("Expect");

        // A domain is known by its host name; for all others the name by which the core itself is reached is right.
        headers.Host = CoreRequest.Of(httpContext).Domain.Length > 0 ? httpContext.Request.Host.Value : null;
        proxyRequest.RequestUri = client.Address(httpContext.Features.Get<ForwardedTarget>()!.Text);
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        // Not for the client: it would take its own key for wrong.
        if (proxyResponse is not null && UpstreamClient.TroubleOf(proxyResponse.StatusCode) is var trouble && trouble != UpstreamTrouble.None)
        {
            httpContext.Features.Get<ForwardedTarget>()!.Trouble = trouble;
            return ValueTask.FromResult(false);
        }

        return base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
    }
}

/// <summary>What is asked for, and what came of it. A feature of the request's context.</summary>
internal sealed class ForwardedTarget(string text)
{
    public string Text => text;

    public UpstreamTrouble Trouble { get; set; }
}
