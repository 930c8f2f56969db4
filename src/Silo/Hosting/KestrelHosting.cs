using Grid.Silo.Settings;
using Grid.WebFront.Doors;
using Microsoft.AspNetCore.Connections.Features;

namespace Grid.Silo.Hosting;

/// <summary>The sockets of core API and front, and the limits of a request on them. Figures: <c>reliability.md</c> §4.5.</summary>
internal static class KestrelHosting
{
    private const string FrontMark = "grid.front";

    public static void AddGridKestrel(this IWebHostBuilder web, GridSettings settings) => web.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.ReadHeadersAsBytes();
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        kestrel.Limits.MaxConcurrentConnections = 20_000;
        kestrel.Listen(settings.Address, settings.Core.Port);
        if (settings.Front.Enabled)
        {
            kestrel.Listen(settings.FrontAddress, settings.Front.Port, door => door.Use(next => connection =>
            {
                connection.Items[FrontMark] = FrontMark;
                return next(connection);
            }));
        }
    });

    /// <summary>Whether a request came in by the front's socket. The port alone would not tell: it may be any, and two addresses may share it.</summary>
    public static bool IsFront(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(FrontMark) == true;
}
