using Grid.Client.CoreApi;
using Grid.Client.Endpoints;
using Grid.Client.Live;
using Grid.Client.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Grid.Client;

/// <summary><c>AddAuthentication().AddGrid()</c>.</summary>
public static class GridAuthentication
{
    /// <summary>Protects endpoints with Grid's sessions.</summary>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder) => builder.AddGrid(_ => { });

    /// <inheritdoc cref="AddGrid(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, Action<GridOptions> configure) =>
        builder.AddGrid(GridDefaults.AuthenticationScheme, configure);

    /// <inheritdoc cref="AddGrid(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, string scheme, Action<GridOptions> configure) =>
        builder.AddGrid(scheme, displayName: null, configure);

    /// <summary>Protects endpoints with Grid's sessions. Once in a process.</summary>
    public static AuthenticationBuilder AddGrid(this AuthenticationBuilder builder, string scheme, string? displayName, Action<GridOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddGridBrowserSide(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<KestrelServerOptions>, OthersHeaderBytes>());
        services.TryAddSingleton<LiveSessions>();
        services.AddHostedService(provider => provider.GetRequiredService<LiveSessions>());
        services.TryAddSingleton<CoreApiSessions>();
        services.TryAddSingleton<IGridSessions>(provider => provider.GetRequiredService<CoreApiSessions>());
        services.AddSingleton<IStartupFilter>(provider => provider.GetRequiredService<GridErrors>());
        services.AddSingleton<IExceptionHandler>(provider => provider.GetRequiredService<GridErrors>());
        services.AddSingleton<IDeveloperPageExceptionFilter>(provider => provider.GetRequiredService<GridErrors>());
        return builder.AddScheme<GridSchemeOptions, GridHandler>(scheme, displayName, _ => { });
    }

    /// <summary>What both a protected application and the silo's front need; who answers for sessions is added beside it.</summary>
    internal static IServiceCollection AddGridBrowserSide(this IServiceCollection services, Action<GridOptions> configure)
    {
        services.AddOptions<GridOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridOptions>, GridOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridOptions>, GridOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SessionRequests>();
        services.TryAddSingleton<GridErrors>();
        services.TryAddSingleton<EventStreams>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ForwardAuthTargets>());
        return services;
    }
}
