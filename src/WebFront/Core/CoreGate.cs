using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Tokens;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core;

/// <summary>What every request of the core API passes: framing, path, API key, version, tenant; and what every failure looks like.</summary>
/// <remarks>Order of checks: <c>protocol/core-rules.md</c> §1.2.</remarks>
internal sealed partial class CoreGate(IAppDirectory apps, ILogger<CoreGate> logger)
{
    private const string Bearer = "Bearer ";

    private readonly ConcurrentDictionary<string, Regex> _ipRules = new(StringComparer.Ordinal);

    /// <summary>Before routing: everything inside it is answered in the protocol's shape.</summary>
    public async Task EnterAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            RefuseAmbiguousFraming(context);
            var path = CorePath.Parse(context.Request.Path.Value ?? "/");
            context.Features.Set(new CoreRequest { Path = path });
            context.Request.Path = path.Rest;
            await next(context);
        }
        catch (CoreException refusal)
        {
            await CoreResponse.WriteTextAsync(context, refusal.Status, refusal.Message);
        }
        catch (BadHttpRequestException refusal)
        {
            await CoreResponse.WriteTextAsync(context, refusal.StatusCode, refusal.StatusCode == 413 ? "Request body is too large" : "Invalid Json Input");
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException)
        {
            Log.Unavailable(logger, failure);
            await WriteUnavailableAsync(context);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is listening.
        }
        catch (Exception failure)
        {
            Log.Unexpected(logger, failure, context.Request.Method, context.Request.Path);
            await CoreResponse.WriteTextAsync(context, 500, "Internal Error");
        }
    }

    /// <summary>After routing: lets the request through to its handler, or throws.</summary>
    public async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var request = CoreRequest.Of(context);
        request.Domain = await apps.FindDomainAsync(context.Request.Host.Value ?? "", context.RequestAborted);
        var app = await apps.FindAsync(request.AppKey, context.RequestAborted);
        var endpoint = context.GetEndpoint();
        var route = endpoint?.Metadata.GetMetadata<CoreRoute>();
        if (app is not null)
        {
            RefuseAddress(context, app);
            if (route is null or { NeedsKey: true })
            {
                RequireKey(context.Request, app);
            }
        }

        if (endpoint is null)
        {
            throw new CoreException(404, "Not found");
        }

        if (route is null)
        {
            // Routing's own endpoint for a known path with another method.
            throw new CoreException(405, "Method not supported");
        }

        request.Version = route.NeedsVersion ? ReadVersion(context.Request) : CdiVersion.Newest;
        if (request.Path.NamesTenant && request.Version < CdiVersion.V3)
        {
            throw new CoreException(404, "Not found");
        }

        if (app is null || (route.NeedsTenant && !app.TenantIds.Contains(request.TenantId)))
        {
            throw CoreException.TenantNotFound(request.Domain, request.Path.AppId, request.TenantId);
        }

        if (!request.IsPublicTenant && (route.Scope == CoreScope.App || (route.Scope == CoreScope.AppSince56 && request.Version >= CdiVersion.V56)))
        {
            throw CoreException.Forbidden("Only public tenantId can call this app specific API");
        }

        request.App = app;
        await next(context);
    }

    internal static Task WriteUnavailableAsync(HttpContext context)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return CoreResponse.WriteTextAsync(context, 503, "Service is temporarily unavailable, please retry");
    }

    // Two readings of where a body ends let one request hide inside another behind a proxy (reliability.md §4.5).
    private static void RefuseAmbiguousFraming(HttpContext context)
    {
        var headers = context.Request.Headers;
        var encoding = headers.TransferEncoding;

        // Kestrel lets Transfer-Encoding win and moves the length that came with it to this header.
        var twice = encoding.Count > 0 && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"));
        if (twice || encoding.Count > 1 || (encoding.Count == 1 && !string.Equals(encoding[0], "chunked", StringComparison.OrdinalIgnoreCase)))
        {
            // What follows on this connection may be the rest of a body, or not.
            context.Response.Headers.Connection = "close";
            throw new CoreException(400, "Ambiguous request framing");
        }
    }

    private static void RequireKey(HttpRequest request, AppSnapshot app)
    {
        if (app.ApiKeyHashes.IsEmpty)
        {
            return;
        }

        string? key = request.Headers["api-key"];
        if (string.IsNullOrEmpty(key))
        {
            key = request.Headers.Authorization;
            if (key is not null && key.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            {
                key = key[Bearer.Length..];
            }
        }

        // All are compared, each in constant time: how long it takes tells nothing about a key.
        var presented = TokenHash.Of(key ?? "");
        var accepted = false;
        foreach (var hash in app.ApiKeyHashes)
        {
            accepted |= hash == presented;
        }

        if (!accepted)
        {
            throw new CoreException(401, "Invalid API key");
        }
    }

    private static CdiVersion ReadVersion(HttpRequest request)
    {
        var header = request.Headers["cdi-version"];
        if (header.Count == 0)
        {
            return CdiVersion.Newest;
        }

        if (header.Count > 1 || !CdiVersion.TryParse(header[0] ?? "", out var version))
        {
            throw new CoreException(400, "cdi-version header is invalid");
        }

        return CdiVersion.Supported.Contains(version) ? version : throw new CoreException(400, $"cdi-version {version} not supported");
    }

    private void RefuseAddress(HttpContext context, AppSnapshot app)
    {
        if (app.IpAllowRegex is null && app.IpDenyRegex is null)
        {
            return;
        }

        var address = context.Connection.RemoteIpAddress;
        var text = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "";
        if ((app.IpAllowRegex is { } allow && !Rule(allow).IsMatch(text)) || (app.IpDenyRegex is { } deny && Rule(deny).IsMatch(text)))
        {
            throw CoreException.Forbidden("IP not allowed");
        }
    }

    private Regex Rule(string pattern) =>
        _ipRules.GetOrAdd(pattern, static p => new Regex(p, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));

    private static partial class Log
    {
        [LoggerMessage(3100, LogLevel.Warning, "Answered 503: store or cluster away")]
        public static partial void Unavailable(ILogger logger, Exception failure);

        [LoggerMessage(3101, LogLevel.Error, "Unexpected failure in {Method} {Path}")]
        public static partial void Unexpected(ILogger logger, Exception failure, string method, string path);
    }
}
