using Grid.Silo.Settings;

namespace Grid.Silo.Hosting;

/// <summary>The core API's socket and the limits of a request on it. Figures: <c>reliability.md</c> §4.5.</summary>
internal static class KestrelHosting
{
    public static void AddGridKestrel(this IWebHostBuilder web, GridSettings settings) => web.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        kestrel.Limits.MaxConcurrentConnections = 20_000;
        kestrel.Listen(settings.Address, settings.Core.Port);
    });
}
