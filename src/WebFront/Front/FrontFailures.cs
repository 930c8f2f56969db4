using Grid.Abstractions;
using Grid.AspNetCore.Browser;
using Grid.Revocation.Outages;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Front;

/// <summary>What every request to the front passes first: limits and headers of its own, and answers to failures that nobody handled.</summary>
internal sealed partial class FrontFailures(TimeProvider clock, ILogger<FrontFailures> logger) : IDisposable
{
    private const int MaxBody = 16 * 1024;

    // One fault may hit every request.
    private readonly OutageTally _unexpected = new(
        clock,
        (what, failure) => Log.Unexpected(logger, failure, what),
        more => Log.MoreUnexpected(logger, more.Count, more.Kinds),
        _ => { });

    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
        {
            body.MaxRequestBodySize = MaxBody;
        }

        try
        {
            await next(context);
        }
        catch (BadHttpRequestException refusal) when (!context.Response.HasStarted)
        {
            await FrontAnswers.MessageAsync(context, refusal.StatusCode, refusal.StatusCode == 413 ? "request body is too large" : "bad request");
        }
        catch (UnstorableValueException) when (!context.Response.HasStarted)
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, "bad request");
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            _unexpected.Met(CoreFailures.Name(failure, context), failure);
            await FrontAnswers.MessageAsync(context, StatusCodes.Status500InternalServerError, "internal error");
        }
    }

    public void Dispose() => _unexpected.Dispose();

    private static partial class Log
    {
        [LoggerMessage(3200, LogLevel.Error, "Unexpected failure: {What}. Further ones are counted")]
        public static partial void Unexpected(ILogger logger, Exception? failure, string what);

        [LoggerMessage(3202, LogLevel.Error, "{Count} more unexpected failures ({What})")]
        public static partial void MoreUnexpected(ILogger logger, long count, string what);
    }
}
