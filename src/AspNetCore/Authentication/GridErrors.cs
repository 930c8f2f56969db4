using System.Globalization;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.Client;
using Grid.Revocation.Outages;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.AspNetCore.Authentication;

/// <summary>
/// Turns an unhandled <see cref="GridException"/> into the response that the browser SDKs expect, wherever exceptions surface.
/// </summary>
/// <param name="clock">Times the summaries.</param>
/// <param name="logger">Gets one line per outage or problem, and a count of what follows.</param>
/// <param name="requests">The browser side of <c>AddGrid()</c>; null if there are only cookie schemes.</param>
/// <param name="schemes">Its schemes; null in a silo's front as well.</param>
internal sealed partial class GridErrors(TimeProvider clock, ILogger<GridErrors> logger, SessionRequests? requests = null, GridSchemes? schemes = null) : IExceptionHandler, IDeveloperPageExceptionFilter, IStartupFilter, IDisposable
{
    private const int MaxRetryAfterSeconds = 60;

    private readonly OutageTally _outage = new(
        clock,
        (_, failure) => Log.Unavailable(logger, failure),
        more => Log.StillUnavailable(logger, more.Count),
        all => Log.Available(logger, all.Count, all.Lasted));

    // A wrong setting fails every request.
    private readonly OutageTally _refused = new(
        clock,
        (problem, _) => Log.Refused(logger, problem),
        more => Log.StillRefused(logger, more.Count, more.Kinds),
        _ => { });

    // Each of many users who sign out at once while a process is silent.
    private readonly OutageTally _waiting = new(
        clock,
        (_, _) => Log.StillWaiting(logger),
        more => Log.MoreStillWaiting(logger, more.Count),
        _ => { });

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

    public void Dispose()
    {
        _outage.Dispose();
        _refused.Dispose();
        _waiting.Dispose();
    }

    /// <summary>Answers a request whose handling failed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="failure">The failure.</param>
    /// <param name="isOwnEndpoint">Whether it was one of those that <c>MapGrid()</c> maps, where no event writes the answer.</param>
    public async Task AnswerAsync(HttpContext context, GridException failure, bool isOwnEndpoint = false)
    {
        var side = schemes is not { AreSeveral: true } ? requests
            : (isOwnEndpoint ? null : context.Features.Get<SchemeChecks>()?.CurrentBy) ?? await schemes.ForAsync(context);
        await WriteAsync(context, failure, isOwnEndpoint, side);
    }

    private Task WriteAsync(HttpContext context, GridException failure, bool isOwnEndpoint, SessionRequests? requests)
    {
        switch (failure.Reason)
        {
            case GridFailure.Unavailable:
                _outage.Met("Grid", failure);
                context.Response.Headers.SetCookie = default;
                context.Response.Headers.RetryAfter = Seconds(failure.RetryAfter);
                return FrontAnswers.MessageAsync(context, StatusCodes.Status503ServiceUnavailable, "temporarily unavailable, please retry");
            case GridFailure.StillWaiting:
                _waiting.Met("revocation", null);
                context.Response.Headers.SetCookie = default;
                context.Response.Headers.RetryAfter = "1";
                return FrontAnswers.MessageAsync(context, StatusCodes.Status503ServiceUnavailable, "the revocation is not confirmed yet, please retry");
            case GridFailure.SessionEnded when requests is not null:
                return RefuseAsync(context, requests, new RequestCheck(RequestOutcome.Ended, Why: failure.Message) { Token = Token(context) }, isOwnEndpoint);
            case GridFailure.InvalidClaims when requests is not null:
                return RefuseAsync(
                    context, requests, new RequestCheck(RequestOutcome.InvalidClaims, Problems: (failure as GridClaimsException)?.Problems ?? []) { Token = Token(context) }, isOwnEndpoint);
            case GridFailure.TokenTooLong:
                Log.TokenTooLong(logger, failure.Message);
                context.Response.Headers.SetCookie = default;
                return FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, failure.Message);
            case GridFailure.Refused when failure is UnusableNameException:
                context.Response.Headers.SetCookie = default;
                return FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, failure.Message);
            default:
                _refused.Met(failure.Message, null);
                return FrontAnswers.MessageAsync(context, StatusCodes.Status500InternalServerError, "internal error");
        }
    }

    // What Grid asked of this service it asks of the caller, within reason.
    private static string Seconds(TimeSpan? retryAfter) =>
        retryAfter is { } wait ? Math.Ceiling(Math.Clamp(wait.TotalSeconds, 1, MaxRetryAfterSeconds)).ToString(CultureInfo.InvariantCulture) : "1";

    private static Task RefuseAsync(HttpContext context, SessionRequests requests, RequestCheck check, bool isOwnEndpoint) =>
        isOwnEndpoint ? FrontAnswers.WriteAsync(context, requests, check) : EventAnswers.WriteAsync(context, requests, check);

    private static AccessTokenContent? Token(HttpContext context) =>
        RequestCheck.Of(context)?.Session is { } session && AccessTokenVerifier.TryReadUnverified(session.AccessToken, out var token) ? token : null;

    private static partial class Log
    {
        [LoggerMessage(4000, LogLevel.Warning, "Returned 503: Grid is unavailable. Further ones are counted")]
        public static partial void Unavailable(ILogger logger, Exception? failure);

        [LoggerMessage(4010, LogLevel.Warning, "Returned 503 to {Count} more requests: Grid is still unavailable")]
        public static partial void StillUnavailable(ILogger logger, long count);

        [LoggerMessage(4011, LogLevel.Information, "Grid is available again; {Count} requests got 503 in {Lasted}")]
        public static partial void Available(ILogger logger, long count, TimeSpan lasted);

        [LoggerMessage(4002, LogLevel.Warning, "Returned 503: a revocation was not acknowledged in time. A process that accepts tokens does not respond; Grid names it in its log once its lease has run out")]
        public static partial void StillWaiting(ILogger logger);

        [LoggerMessage(4013, LogLevel.Warning, "Returned 503 to {Count} more requests whose revocation was not acknowledged in time")]
        public static partial void MoreStillWaiting(ILogger logger, long count);

        [LoggerMessage(4003, LogLevel.Warning, "Returned 400: {Problem}")]
        public static partial void TokenTooLong(ILogger logger, string problem);

        [LoggerMessage(4001, LogLevel.Error, "Returned 500: {Problem}")]
        public static partial void Refused(ILogger logger, string problem);

        [LoggerMessage(4012, LogLevel.Error, "Returned 500 to {Count} more requests: {Problems}")]
        public static partial void StillRefused(ILogger logger, long count, string problems);
    }
}
