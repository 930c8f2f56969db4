using System.Reflection;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;

namespace Grid.AspNetCore.Live;

/// <summary>Ends a hub's connections with their sessions, over every transport: the request's end would leave those of long polling open for a while.</summary>
/// <remarks>In every hub's filters; those that were not asked for are left alone.</remarks>
internal sealed class LiveHubs : IHubFilter
{
    public async Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
    {
        if (context.Context.GetHttpContext() is not { } http || http.GetEndpoint()?.Metadata.GetMetadata<EndsWithSession>() is null
            || HeldSession.Of(http) is not { Count: > 0 } held)
        {
            await next(context);
            return;
        }

        var connection = new LiveConnection(context.Context, held);
        context.Context.Items[typeof(LiveConnection)] = connection;
        try
        {
            await next(context);
        }
        catch
        {
            // It will not be told that it was disconnected.
            connection.Dispose();
            throw;
        }
    }

    public ValueTask<object?> InvokeMethodAsync(HubInvocationContext context, Func<HubInvocationContext, ValueTask<object?>> next) =>
        context.Hub.GetType().Assembly != typeof(CircuitHandler).Assembly || Find(context.Context) is not { } connection ? next(context)
        : StartsCircuit(context.HubMethod) ? connection.StartCircuitAsync(context.Context.GetHttpContext()!, () => next(context))
        : connection.ServeAsync(() => next(context));

    public async Task OnDisconnectedAsync(HubLifetimeContext context, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next)
    {
        try
        {
            await next(context, exception);
        }
        finally
        {
            Find(context.Context)?.Dispose();
        }
    }

    private static LiveConnection? Find(HubCallerContext context) => context.Items.TryGetValue(typeof(LiveConnection), out var found) ? found as LiveConnection : null;

    // Such a call brings the page a circuit's secret: it starts one, or resumes what was kept of one.
    private static bool StartsCircuit(MethodInfo call) => call.ReturnType == typeof(ValueTask<string>);
}
