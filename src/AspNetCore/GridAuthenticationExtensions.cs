using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Live;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>AddAuthentication().AddGrid()</c>.</summary>
public static class GridAuthenticationExtensions
{
    /// <summary>Authenticates requests by Grid's sessions. May be called once per process.</summary>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder) => builder.AddGrid(_ => { });

    /// <inheritdoc cref="AddGrid(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, Action<GridOptions> configure) =>
        builder.AddGrid(GridDefaults.AuthenticationScheme, configure);

    /// <inheritdoc cref="AddGrid(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, string scheme, Action<GridOptions> configure) =>
        builder.AddGrid(scheme, displayName: null, configure);

    /// <inheritdoc cref="AddGrid(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, string scheme, string? displayName, Action<GridOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(GridHandler)))
        {
            throw new InvalidOperationException(
                $"AddGrid() was called before: a process has one Grid, and two calls would mix their options. Remove the call for the scheme '{scheme}', or set its options with services.Configure<GridOptions>(…).");
        }

        services.AddGridBrowserSide(configure);
        services.AddGridClient();
        services.AddOptions<GridClientOptions>().Configure<IEnumerable<IConfigureOptions<GridOptions>>, IEnumerable<IPostConfigureOptions<GridOptions>>>(TakeOver);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, SchemeCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, PublicAddress>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<KestrelServerOptions>, OthersHeaderBytes>());
        services.AddGridErrors();
        LiveSetup.Add(services);
        return builder.AddScheme<GridSchemeOptions, GridHandler>(scheme, displayName, _ => { });
    }

    // Invalid values are reported once, as problems of GridOptions.
    private static void TakeOver(GridClientOptions client, IEnumerable<IConfigureOptions<GridOptions>> set, IEnumerable<IPostConfigureOptions<GridOptions>> completed) =>
        new OptionsFactory<GridOptions>(set, completed).Create(Microsoft.Extensions.Options.Options.DefaultName).CopyTo(client);
}
