using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Live;
using Grid.AspNetCore.TicketStore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>AddAuthentication().AddCookie().AddGridTicketStore()</c>.</summary>
public static class GridTicketStoreExtensions
{
    /// <summary>
    /// Keeps the tickets of the cookie scheme in Grid's sessions: the cookie holds only a reference to the session, and ending the session
    /// signs the user out everywhere at once.
    /// </summary>
    /// <param name="builder">The builder, with exactly one cookie scheme; if there are several, name the scheme.</param>
    /// <exception cref="InvalidOperationException">There is no cookie scheme yet, or there are several.</exception>
    public static AuthenticationBuilder AddGridTicketStore(this AuthenticationBuilder builder) => builder.AddGridTicketStore(_ => { });

    /// <inheritdoc cref="AddGridTicketStore(AuthenticationBuilder)"/>
    public static AuthenticationBuilder AddGridTicketStore(this AuthenticationBuilder builder, Action<GridTicketStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string[] schemes = [.. CookieSchemes(builder.Services).Select(scheme => scheme.Name)];
        return schemes switch
        {
            [var only] => builder.AddGridTicketStore(only, configure),
            [] => throw new InvalidOperationException("There is no cookie scheme yet: call AddCookie() (or AddIdentity()) before AddGridTicketStore()."),
            _ => throw new InvalidOperationException(
                $"There are several cookie schemes ({string.Join(", ", schemes)}): name the one whose tickets Grid is to keep, as in AddGridTicketStore(\"{schemes[0]}\")."),
        };
    }

    /// <inheritdoc cref="AddGridTicketStore(AuthenticationBuilder)"/>
    /// <param name="builder">The builder, with that scheme.</param>
    /// <param name="scheme">The cookie scheme, such as Identity's <c>Identity.Application</c>.</param>
    public static AuthenticationBuilder AddGridTicketStore(this AuthenticationBuilder builder, string scheme) => builder.AddGridTicketStore(scheme, _ => { });

    /// <inheritdoc cref="AddGridTicketStore(AuthenticationBuilder, string)"/>
    public static AuthenticationBuilder AddGridTicketStore(this AuthenticationBuilder builder, string scheme, Action<GridTicketStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        ArgumentNullException.ThrowIfNull(configure);
        var services = builder.Services;
        if (CookieSchemes(services).FirstOrDefault(known => known.Name == scheme) is not { } cookie)
        {
            throw new InvalidOperationException(
                $"There is no cookie scheme '{scheme}' yet: call AddCookie(\"{scheme}\") before AddGridTicketStore(\"{scheme}\").");
        }

        if (cookie.HandlerType == typeof(GridCookieHandler))
        {
            throw new InvalidOperationException($"AddGridTicketStore() was called before for the scheme '{scheme}'.");
        }

        if (cookie.HandlerType != typeof(CookieAuthenticationHandler))
        {
            throw new InvalidOperationException(
                $"The scheme '{scheme}' has its own handler, {cookie.HandlerType}: AddGridTicketStore() works only with the handler of AddCookie(), since a sign-in has to create a new session.");
        }

        services.AddGridClient();
        services.AddGridErrors();
        LiveSetup.Add(services);
        services.AddOptions<GridTicketStoreOptions>(scheme).Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridTicketStoreOptions>, GridTicketStoreOptionsRules>());
        services.Configure<AuthenticationOptions>(options => options.SchemeMap[scheme].HandlerType = typeof(GridCookieHandler));
        services.TryAddTransient<GridCookieHandler>();
        services.AddSingleton<IPostConfigureOptions<CookieAuthenticationOptions>>(
            provider => ActivatorUtilities.CreateInstance<TicketStoreSetup>(provider, scheme));
        return builder;
    }

    // As they are at this point. A scheme that comes later cannot be meant.
    private static IEnumerable<AuthenticationSchemeBuilder> CookieSchemes(IServiceCollection services)
    {
        var options = new AuthenticationOptions();
        foreach (var configure in services.Where(service => service.ServiceType == typeof(IConfigureOptions<AuthenticationOptions>)))
        {
            (configure.ImplementationInstance as IConfigureOptions<AuthenticationOptions>)?.Configure(options);
        }

        return options.Schemes.Where(scheme => typeof(CookieAuthenticationHandler).IsAssignableFrom(scheme.HandlerType));
    }
}
