using System.Net;
using System.Net.Sockets;
using Grid.Silo.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Grid.Silo.Hosting;

/// <summary>The port between silos: taken once, by the socket that will serve it. A port that is asked for, given back and opened later may be somebody else's by then.</summary>
internal static class SiloSocket
{
    private const int Backlog = 512;

    /// <exception cref="SettingsException">The port is taken, or the address is not this machine's.</exception>
    public static Socket Take(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));

            // Bound alone would not do: another that also allows address reuse could still listen first.
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new SettingsException(failure.SocketErrorCode == SocketError.AddressNotAvailable
                ? $"Grid:Cluster:Address {address} is none of this machine's addresses. Set it to the one on which the other silos reach this one."
                : $"Grid:Cluster:SiloPort {port} on {address} cannot be opened: {failure.Message}. Set it to a free port or to 0, or end the other process.");
        }
    }

    /// <summary>Lets Orleans listen on this socket; on none if it is null: a lone silo has no peers.</summary>
    public static void HandTo(IServiceCollection services, Socket? socket)
    {
        // Orleans' listeners of silos and of clients each ask for a factory by a key of their own.
        foreach (var listener in services.Where(service => service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService).ToList())
        {
            services.AddKeyedSingleton<IConnectionListenerFactory>(listener.ServiceKey, (provider, key) => new Factory(socket, Orleans(listener, provider, key), provider.GetRequiredService<ILoggerFactory>()));
        }
    }

    private static IConnectionListenerFactory Orleans(ServiceDescriptor listener, IServiceProvider provider, object? key) => (IConnectionListenerFactory)(
        listener.KeyedImplementationInstance ?? listener.KeyedImplementationFactory?.Invoke(provider, key)
        ?? ActivatorUtilities.CreateInstance(provider, listener.KeyedImplementationType!));

    private sealed class Factory(Socket? socket, IConnectionListenerFactory orleans, ILoggerFactory loggers) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            if (socket is null)
            {
                return ValueTask.FromResult<IConnectionListener>(new Silence(endpoint));
            }

            if (!endpoint.Equals(socket.LocalEndPoint))
            {
                return orleans.BindAsync(endpoint, cancellationToken);
            }

            var taken = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = _ => socket, Backlog = Backlog }), loggers);
            return taken.BindAsync(endpoint, cancellationToken);
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
