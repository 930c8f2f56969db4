using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Grid.Hosting.Serving;

/// <summary>Makes Orleans listen on ports that this process holds already, and on no others.</summary>
internal static class SiloListeners
{
    /// <param name="services">With Orleans' own listeners, which this replaces.</param>
    /// <param name="silo">For the other silos; null for a lone silo, which has no peers.</param>
    /// <param name="gateway">For Orleans clients; null if it is closed.</param>
    public static void ListenOn(this IServiceCollection services, HeldPort? silo, HeldPort? gateway)
    {
        // Orleans' listeners of silos and of clients each ask for a factory by a key of their own.
        foreach (var listener in services.Where(service => service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService).ToList())
        {
            services.AddKeyedSingleton<IConnectionListenerFactory>(listener.ServiceKey, (provider, _) => new Factory(silo, gateway, provider.GetRequiredService<ILoggerFactory>()));
        }
    }

    private sealed class Factory(HeldPort? silo, HeldPort? gateway, ILoggerFactory loggers) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            if ((endpoint.Equals(gateway?.EndPoint) ? gateway : endpoint.Equals(silo?.EndPoint) ? silo : null) is not { } port)
            {
                return silo is null
                    ? ValueTask.FromResult<IConnectionListener>(new Silence(endpoint))
                    : throw new InvalidOperationException($"Orleans was to listen on {silo.EndPoint}{(gateway is null ? "" : $" and {gateway.EndPoint}")}, not on {endpoint}.");
            }

            var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = _ => port.Open() }), loggers);
            return sockets.BindAsync(endpoint, cancellationToken);
        }
    }

    /// <summary>Never accepts a connection.</summary>
    private sealed class Silence(EndPoint endpoint) : IConnectionListener
    {
        private readonly TaskCompletionSource<ConnectionContext?> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => endpoint;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_over.Task.WaitAsync(cancellationToken));

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _over.TrySetResult(null);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
