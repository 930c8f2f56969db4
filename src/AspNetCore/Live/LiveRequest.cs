using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Live;

/// <summary>Serves a request for as long as its session lasts.</summary>
internal static class LiveRequest
{
    // A hub says goodbye by itself, and an endpoint that was asked to stop may have something to say; then the connection is cut.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

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

    private static async Task ServeAsync(HttpContext context, RequestDelegate next, List<HeldSession> held)
    {
        List<SessionWatch> watches = held.ConvertAll(session => session.Watch());
        var asked = context.RequestAborted;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource([.. watches.Select(watch => watch.Ended)]);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(asked, ended.Token);
        using var cut = new CancellationTokenSource(Timeout.InfiniteTimeSpan, context.RequestServices.GetRequiredService<TimeProvider>());
        try
        {
            // Disposal waits for a callback that runs: afterwards the server uses the connection, and this object, for the next request.
            using var cutting = cut.Token.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
            using var ending = ended.Token.UnsafeRegister(static cut => ((CancellationTokenSource)cut!).CancelAfter(Grace), cut);
            if (!KeptRequest.IsOfHub(context))
            {
                context.RequestAborted = over.Token;
            }

            await next(context);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // As it was asked to: no error of the application.
        }
        finally
        {
            context.RequestAborted = asked;
            watches.ForEach(watch => watch.Dispose());
        }
    }
}
