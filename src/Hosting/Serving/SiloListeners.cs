using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Grid.Hosting.Serving;

/// <summary>Makes Orleans listen on ports that this process holds already, and on no others.</summary>
internal static class SiloListeners
{
    /// <param name="services">With Orleans' own listeners, which this replaces.</param>
    /// <param name="held">None for a lone silo: it has no peers.</param>
    public static void ListenOn(this IServiceCollection services, params IReadOnlyList<HeldPort> held)
    {
        // Orleans' listeners of silos and of clients each ask for a factory by a key of their own.
        foreach (var listener in services.Where(service => service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService).ToList())
        {
            services.AddKeyedSingleton<IConnectionListenerFactory>(listener.ServiceKey, (provider, _) => new Factory(held, provider.GetRequiredService<ILoggerFactory>()));
        }
    }

    private sealed class Factory(IReadOnlyList<HeldPort> held, ILoggerFactory loggers) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            if (held.Count == 0)
            {
                return ValueTask.FromResult<IConnectionListener>(new Silence(endpoint));
            }

            var port = held.FirstOrDefault(port => port.EndPoint.Equals(endpoint))
                ?? throw new InvalidOperationException($"Orleans was to listen on {string.Join(" and ", held.Select(port => port.EndPoint))}, not on {endpoint}.");
            var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = _ => port.Open() }), loggers);
            return sockets.BindAsync(endpoint, cancellationToken);
        }
    }

    /// <summary>Nobody connects.</summary>
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
