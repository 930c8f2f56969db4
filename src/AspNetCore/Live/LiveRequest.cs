using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Live;

/// <summary>A request that is served for as long as its session lasts.</summary>
internal sealed class LiveRequest
{
    // A hub says goodbye by itself, and an endpoint that was asked to stop may have something to say; then the connection is cut.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

    private readonly Lock _changing = new();
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenSource _cut;
    private bool _isOwnDeed;
    private bool _hasEnded;

    private LiveRequest(CancellationTokenSource over, CancellationTokenSource cut) => (_over, _cut) = (over, cut);

    public static Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NegotiateMetadata>() is not null)
        {
            return next(context);
        }

        var held = HeldSession.Of(context);
        if (held.Count == 0)
        {
            return next(context);
        }

        KeptRequest.Keep(context);
        return ServeAsync(context, next, held);
    }

    /// <summary>Ends sessions at the request's own wish, as in a sign-out: it is served to its end all the same, unless they cannot be ended.</summary>
    public static async Task<T> EndOwnAsync<T>(HttpContext? context, Func<Task<T>> end)
    {
        var live = context?.Features.Get<LiveRequest>();
        live?.Excuse(true);
        try
        {
            return await end();
        }
        catch
        {
            live?.Excuse(false);
            throw;
        }
    }

    private static async Task ServeAsync(HttpContext context, RequestDelegate next, List<HeldSession> held)
    {
        List<SessionWatch> watches = held.ConvertAll(session => session.Watch());
        var asked = context.RequestAborted;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(asked);
        using var cut = new CancellationTokenSource(Timeout.InfiniteTimeSpan, context.RequestServices.GetRequiredService<TimeProvider>());
        var live = new LiveRequest(over, cut);
        List<CancellationTokenRegistration> endings = [];
        try
        {
            // Disposal waits for a callback that runs: afterwards the server uses the connection, and this object, for the next request.
            using var cutting = cut.Token.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
            endings = watches.ConvertAll(watch => watch.Ended.UnsafeRegister(static live => ((LiveRequest)live!).End(), live));
            if (!KeptRequest.IsOfHub(context))
            {
                context.Features.Set(live);
                context.RequestAborted = over.Token;
            }

            try
            {
                await next(context);
            }
            finally
            {
                endings.ForEach(ending => ending.Dispose());
            }
        }
        catch (OperationCanceledException) when (live._hasEnded)
        {
            // As it was asked to: no error of the application.
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            }
        }
        finally
        {
            context.RequestAborted = asked;
            watches.ForEach(watch => watch.Dispose());
        }
    }

    private void Excuse(bool isOwnDeed)
    {
        lock (_changing)
        {
            _isOwnDeed = isOwnDeed;
        }

        if (!isOwnDeed && _hasEnded)
        {
            End();
        }
    }

    private void End()
    {
        lock (_changing)
        {
            _hasEnded = true;
            if (_isOwnDeed)
            {
                return;
            }
        }

        _cut.CancelAfter(Grace);
        _over.Cancel();
    }
}
