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

    public async Task OnDisconnectedAsync(HubLifetimeContext context, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next)
    {
        try
        {
            await next(context, exception);
        }
        finally
        {
            (context.Context.Items.TryGetValue(typeof(LiveConnection), out var connection) ? connection as LiveConnection : null)?.Dispose();
        }
    }
}
