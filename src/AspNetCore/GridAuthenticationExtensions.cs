using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Endpoints;
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
    /// <summary>Authenticates requests by Grid's sessions.</summary>
    /// <remarks>
    /// Called again with the name of another scheme, it adds another app: with options of that name (<c>Configure&lt;GridOptions&gt;("other", …)</c>),
    /// a client of its own (<c>[FromKeyedServices("other")] IGridSessions</c>), and endpoints by <c>MapGrid("other")</c>, below <c>/other/auth</c> unless
    /// <see cref="GridOptions.ApiBasePath"/> says otherwise. Its cookies' names end in the scheme's name. Its app is named by
    /// <see cref="GridClientOptions.ConnectionUri"/> or the connection string <c>other</c>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">It was called before for this scheme.</exception>
    /// <exception cref="ArgumentException">The name of a further scheme cannot be part of a cookie's name.</exception>
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
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        ArgumentNullException.ThrowIfNull(configure);
        var services = builder.Services;
        string[] known = [.. services.Select(service => service.ServiceType == typeof(GridScheme) ? service.ImplementationInstance : null).OfType<GridScheme>().Select(one => one.Name)];
        if (known.Contains(scheme))
        {
            throw new InvalidOperationException(
                $"AddGrid() was called before for the scheme '{scheme}', and two calls would mix their options. Remove one, set its options with services.Configure<GridOptions>(…), or name another scheme for another app: AddGrid(\"other\", …).");
        }

        services.AddSingleton(new GridScheme(scheme));
        if (known is [var first, ..])
        {
            services.AddFurtherBrowserSide(scheme, known, first, configure);
            return builder.AddScheme<GridSchemeOptions, GridHandler>(scheme, displayName, _ => { });
        }

        services.AddGridBrowserSide(configure);
        services.AddGridClient();
        services.AddOptions<GridClientOptions>().Configure<IEnumerable<IConfigureOptions<GridOptions>>, IEnumerable<IPostConfigureOptions<GridOptions>>>(
            (client, set, completed) => TakeOver(Microsoft.Extensions.Options.Options.DefaultName, client, set, completed));
        services.TryAddSingleton<GridSchemes>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, SchemeCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, PublicAddress>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<KestrelServerOptions>, OthersHeaderBytes>());
        services.AddGridErrors();
        LiveSetup.Add(services);
        return builder.AddScheme<GridSchemeOptions, GridHandler>(scheme, displayName, _ => { });
    }

    private static void AddFurtherBrowserSide(this IServiceCollection services, string scheme, string[] known, string first, Action<GridOptions> configure)
    {
        if (!scheme.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new ArgumentException($"The scheme '{scheme}' ends the names of its cookies: name it by letters, digits, '-', '_' and '.'.", nameof(scheme));
        }

        services.AddOptions<GridOptions>(scheme).Configure(options => options.ApiBasePath = $"/{scheme}/auth").Configure(configure).ValidateOnStart();
        foreach (var other in known)
        {
            var its = other == first ? Microsoft.Extensions.Options.Options.DefaultName : other;
            services.AddOptions<GridOptions>(scheme).Validate<IServiceProvider>(
                (options, provider) => !HasSamePlace(options, provider.GetRequiredService<IOptionsMonitor<GridOptions>>().Get(its)),
                $"The schemes '{other}' and '{scheme}' of AddGrid() have the same ApiDomain and ApiBasePath: their endpoints and their tokens' issuers would be the same. Set ApiBasePath of '{scheme}'.");
        }

        services.AddGridClient(scheme, _ => { });
        services.AddOptions<GridClientOptions>(scheme).Configure<IEnumerable<IConfigureOptions<GridOptions>>, IEnumerable<IPostConfigureOptions<GridOptions>>>(
            (client, set, completed) => TakeOver(scheme, client, set, completed));
        services.AddKeyedSingleton(scheme, (provider, _) => new SessionRequests(
            provider.GetRequiredKeyedService<IGridSessions>(scheme), provider.GetRequiredService<IOptionsMonitor<GridOptions>>().Get(scheme), provider.GetRequiredService<TimeProvider>(), scheme));
        services.AddSingleton<IStartupFilter>(provider => ActivatorUtilities.CreateInstance<PublicAddress>(provider, Named(provider, scheme)));
        services.AddSingleton<IStartupFilter>(provider => new ForwardAuthTargets(Named(provider, scheme)));
    }

    private static IOptions<GridOptions> Named(IServiceProvider services, string scheme) =>
        Microsoft.Extensions.Options.Options.Create(services.GetRequiredService<IOptionsMonitor<GridOptions>>().Get(scheme));

    private static bool HasSamePlace(GridOptions one, GridOptions other) =>
        string.Equals(one.ApiDomain, other.ApiDomain, StringComparison.OrdinalIgnoreCase) && string.Equals(one.ApiBasePath, other.ApiBasePath, StringComparison.OrdinalIgnoreCase)
        && string.Equals(one.PublicBasePath, other.PublicBasePath, StringComparison.OrdinalIgnoreCase);

    // Invalid values are reported once, as problems of GridOptions.
    private static void TakeOver(string name, GridClientOptions client, IEnumerable<IConfigureOptions<GridOptions>> set, IEnumerable<IPostConfigureOptions<GridOptions>> completed) =>
        new OptionsFactory<GridOptions>(set, completed).Create(name).CopyTo(client);
}
