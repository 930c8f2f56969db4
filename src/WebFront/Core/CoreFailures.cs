using Grid.Abstractions;
using Grid.Revocation.Outages;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core;

/// <summary>Turns every failure of the core API into the caller's answer and the log's line.</summary>
internal sealed partial class CoreFailures(TimeProvider clock, ILogger<CoreFailures> logger) : IDisposable
{
    private const string Busy = "Service is temporarily unavailable, please retry";

    private readonly OutageTally _outage = new(
        clock,
        (away, failure) => Log.Unavailable(logger, failure, away),
        more => Log.StillUnavailable(logger, more.Count, more.Kinds),
        all => Log.Available(logger, all.Count, all.Lasted));

    // One fault may hit every request.
    private readonly OutageTally _unexpected = new(
        clock,
        (what, failure) => Log.Unexpected(logger, failure, what),
        more => Log.MoreUnexpected(logger, more.Count, more.Kinds),
        _ => { });

    /// <summary>Runs before routing: failures of everything after it are answered in the protocol's format.</summary>
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            var path = CorePath.Parse(context.Request.Path.Value ?? "/");
            context.Features.Set(new CoreRequest { Path = path });
            context.Request.Path = path.Rest;
            await next(context);
        }
        catch (CoreException refusal)
        {
            await CoreResponse.WriteTextAsync(context, refusal.Status, refusal.Message);
        }
        catch (SessionRefusedException refusal)
        {
            await CoreResponse.WriteTextAsync(context, 400, refusal.Message);
        }
        catch (BadHttpRequestException refusal)
        {
            var text = refusal.StatusCode == StatusCodes.Status413PayloadTooLarge ? CoreBody.TooLarge : "Invalid Json Input";
            await CoreResponse.WriteTextAsync(context, refusal.StatusCode, text);
        }
        catch (UnstorableValueException refusal)
        {
            // Readers of bodies and queries could not detect it: for example a user id that is too long for the database's index.
            await CoreResponse.WriteTextAsync(context, 400, refusal.Message);
        }
        catch (StoreUnavailableException failure) when (failure.InnerException is CoreException refusal)
        {
            // The core behind Grid does not say what a sign-in has to know: counted where it was asked.
            context.Response.Headers.RetryAfter = "1";
            await CoreResponse.WriteTextAsync(context, refusal.Status, refusal.Message);
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException)
        {
            Met(failure);
            await WriteUnavailableAsync(context);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
        catch (Exception failure)
        {
            MetUnexpected(Name(failure, context), failure);
            await CoreResponse.WriteTextAsync(context, 500, "Internal Error");
        }
    }

    /// <summary>Counts a call that failed because the store or the cluster is unavailable.</summary>
    public void Met(Exception failure)
    {
        if (failure.InnerException is not CoreException)
        {
            _outage.Met(failure is StoreUnavailableException ? "store" : "cluster", failure);
        }
    }

    /// <summary>Counts a failure that no one expected: the first of its name has its stack in the log.</summary>
    public void MetUnexpected(string name, Exception failure) => _unexpected.Met(name, failure);

    public void Dispose()
    {
        _outage.Dispose();
        _unexpected.Dispose();
    }

    /// <summary>The name under which the log counts a failure: its type and the operation's route, never the request's own path.</summary>
    public static string Name(Exception failure, HttpContext context) =>
        $"{failure.GetType().Name} in {(context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "no operation"}";

    public static Task WriteUnavailableAsync(HttpContext context)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return CoreResponse.WriteTextAsync(context, 503, Busy);
    }

    /// <summary>The same answer, with another time to come back for each.</summary>
    public static Task WriteOverloadedAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = AdmissionDoor.RetryAfter();
        return CoreResponse.WriteTextAsync(context, 503, Busy);
    }

    private static partial class Log
    {
        [LoggerMessage(3100, LogLevel.Warning, "Returned 503: {Away} unavailable. Further ones are counted")]
        public static partial void Unavailable(ILogger logger, Exception? failure, string away);

        [LoggerMessage(3102, LogLevel.Warning, "Returned 503 to {Count} more requests ({Away})")]
        public static partial void StillUnavailable(ILogger logger, long count, string away);

        [LoggerMessage(3103, LogLevel.Information, "The core API is available again; {Count} requests got 503 in {Lasted}")]
        public static partial void Available(ILogger logger, long count, TimeSpan lasted);

        [LoggerMessage(3101, LogLevel.Error, "Unexpected failure: {What}. Further ones are counted")]
        public static partial void Unexpected(ILogger logger, Exception? failure, string what);

        [LoggerMessage(3105, LogLevel.Error, "{Count} more unexpected failures ({What})")]
        public static partial void MoreUnexpected(ILogger logger, long count, string what);
    }
}
