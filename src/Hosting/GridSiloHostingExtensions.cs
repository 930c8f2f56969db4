using Grid.Client;
using Grid.Hosting;

namespace Microsoft.Extensions.Hosting;

/// <summary><c>builder.AddGridSilo()</c>.</summary>
public static class GridSiloHostingExtensions
{
    /// <inheritdoc cref="AddGridSilo(IHostApplicationBuilder, Action{GridSiloOptions})"/>
    public static IHostApplicationBuilder AddGridSilo(this IHostApplicationBuilder builder) => builder.AddGridSilo(_ => { });

    /// <summary>
    /// Runs a silo of Grid in this process: no second program is needed. <see cref="IGridSessions"/> is then in process, from the start of the
    /// host on; <c>AddAuthentication().AddGrid()</c> and <c>AddGridClient()</c>, which come after this, take it instead of the core API.
    /// </summary>
    /// <param name="builder">Of an ASP.NET Core application, a worker, ….</param>
    /// <param name="configure">Says where sessions are stored and what listens.</param>
    /// <remarks>Wrong settings, or a store that does not answer, stop the host's start; the message names the setting and the repair.</remarks>
    /// <exception cref="InvalidOperationException">It is there already, or <c>AddGridClient()</c>, <c>AddGridGrainClient()</c> or <c>AddGrid()</c> came first.</exception>
    public static IHostApplicationBuilder AddGridSilo(this IHostApplicationBuilder builder, Action<GridSiloOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        if (builder.Services.Any(service => service.ServiceType == typeof(IGridSessions) && !service.IsKeyedService))
        {
            throw new InvalidOperationException("Call AddGridSilo() once, and before AddGrid() and AddGridClient(), and without AddGridGrainClient(): they take the sessions that they find.");
        }

        builder.Services.Configure(configure);
        builder.Services.AddSingleton<EmbeddedSilo>();
        builder.Services.AddHostedService(services => services.GetRequiredService<EmbeddedSilo>());
        builder.Services.AddSingleton<IGridSessions, EmbeddedSessions>();
        builder.Services.AddHealthChecks().AddCheck<EmbeddedSiloHealth>("grid", tags: ["ready"]);
        return builder;
    }
}
