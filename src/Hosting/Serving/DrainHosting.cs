namespace Grid.Hosting.Serving;

/// <summary>Registers <see cref="Drain"/>: before every request, and between server and cluster when the host stops.</summary>
internal static class DrainHosting
{
    // For requests in progress and for leaving the cluster, after the drain.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    /// <summary>Adds it; after the silo.</summary>
    /// <param name="builder">The host's.</param>
    /// <param name="period">For how long.</param>
    public static void AddGridDrain(this WebApplicationBuilder builder, TimeSpan period)
    {
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Drain>(services, period));
        builder.Services.AddHostedService(services => services.GetRequiredService<Drain>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = period + Rest);
    }

    /// <summary>Before everything else, probes included.</summary>
    public static void UseGridDrain(this WebApplication app) => app.Use(app.Services.GetRequiredService<Drain>().Before);
}
