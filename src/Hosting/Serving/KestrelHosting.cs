using Grid.WebFront.Doors;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Grid.Hosting.Serving;

/// <summary>The sockets of core API and front, and the limits of a request on them: <c>docs/operations.md</c>, "Connections".</summary>
internal static class KestrelHosting
{
    private const string FrontMark = "grid.front";

    public static void AddGridKestrel(this IWebHostBuilder web, ConnectionBudget budget, HeldPorts ports)
    {
        web.ConfigureServices(services => services.AddSingleton<IConnectionListenerFactory, DoorTransport>()
            .Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = DoorTransport.OpenHeld));
        web.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ReadHeadersAsBytes();
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 100;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);

            // A client that sends or reads byte by byte would occupy a connection and its memory.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
            kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
            var clock = kestrel.ApplicationServices.GetRequiredService<TimeProvider>();
            var logger = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Grid.Connections");
            if (ports.Core is not null)
            {
                kestrel.Open(ports.Core, new Door("Core API", budget.Core, int.MaxValue, clock, logger), mark: null);
            }

            if (ports.Front is not null)
            {
                kestrel.Open(ports.Front, new Door("Front", budget.Front, budget.FrontPerAddress, clock, logger), FrontMark);
            }
        });
    }

    /// <summary>Whether a request came in by the front's socket. The port alone would not tell: it may be any, and two addresses may share it.</summary>
    public static bool IsFront(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(FrontMark) == true;

    private static void Open(this KestrelServerOptions kestrel, HeldPort port, Door door, string? mark) =>
        kestrel.Listen(new DoorEndPoint(port, door), listen =>
        {
            // Without TLS there is nothing to agree on another version by.
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection =>
            {
                if (mark is not null)
                {
                    connection.Items[mark] = mark;
                }

                return DoorTransport.GuardAsync(connection, door, next);
            });
        });
}
