using Grid.Client.Browser;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.Client;

/// <summary>Turns a <see cref="GridException"/> that nobody handled into the answer that the browser SDKs expect, wherever exceptions surface.</summary>
internal sealed partial class GridErrors(SessionRequests requests, ILogger<GridErrors> logger) : IExceptionHandler, IDeveloperPageExceptionFilter, IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (context, rest) =>
        {
            try
            {
                await rest(context);
            }
            catch (GridException failure) when (!context.Response.HasStarted)
            {
                await AnswerAsync(context, failure);
            }
        });
        next(app);
    };

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not GridException failure || httpContext.Response.HasStarted)
        {
            return false;
        }

        await AnswerAsync(httpContext, failure);
        return true;
    }

    public async Task HandleExceptionAsync(ErrorContext errorContext, Func<ErrorContext, Task> next)
    {
        if (!await TryHandleAsync(errorContext.HttpContext, errorContext.Exception, CancellationToken.None))
        {
            await next(errorContext);
        }
    }

    public Task AnswerAsync(HttpContext context, GridException failure)
    {
        switch (failure.Reason)
        {
            case GridFailure.Unavailable:
                Log.Unavailable(logger, failure);
                context.Response.Headers.SetCookie = default;
                context.Response.Headers.RetryAfter = "1";
                return FrontAnswers.MessageAsync(context, StatusCodes.Status503ServiceUnavailable, "temporarily unavailable, please retry");
            case GridFailure.StillWaiting:
                Log.StillWaiting(logger);
                context.Response.Headers.SetCookie = default;
                context.Response.Headers.RetryAfter = "1";
                return FrontAnswers.MessageAsync(context, StatusCodes.Status503ServiceUnavailable, "the revocation is not confirmed yet, please retry");
            case GridFailure.SessionEnded:
                return FrontAnswers.WriteAsync(context, requests, new RequestCheck(RequestOutcome.Ended));
            case GridFailure.InvalidClaims:
                return FrontAnswers.WriteAsync(context, requests, new RequestCheck(RequestOutcome.InvalidClaims, Problems: failure.Problems));
            case GridFailure.TokenTooLong:
                Log.TokenTooLong(logger, failure.Message);
                context.Response.Headers.SetCookie = default;
                return FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, failure.Message);
            default:
                Log.Refused(logger, failure.Message);
                return FrontAnswers.MessageAsync(context, StatusCodes.Status500InternalServerError, "internal error");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4000, LogLevel.Warning, "Answered 503: Grid is away")]
        public static partial void Unavailable(ILogger logger, Exception failure);

        [LoggerMessage(4002, LogLevel.Warning, "Answered 503: a revocation was not acknowledged in time. A process that accepts tokens is silent; Grid names it in its log when its lease has run out")]
        public static partial void StillWaiting(ILogger logger);

        [LoggerMessage(4003, LogLevel.Warning, "Answered 400: {Problem}")]
        public static partial void TokenTooLong(ILogger logger, string problem);

        [LoggerMessage(4001, LogLevel.Error, "Answered 500: {Problem}")]
        public static partial void Refused(ILogger logger, string problem);
    }
}
