using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Gives the cookie scheme its store.</summary>
internal sealed class TicketStoreSetup(string scheme, IServiceProvider services, IOptionsMonitor<GridTicketStoreOptions> options)
    : IPostConfigureOptions<CookieAuthenticationOptions>, IDisposable
{
    // One, with its memory, however often the scheme's options are made.
    private readonly Lazy<TicketCache> _cache = new(() => new TicketCache(options.Get(scheme)));

    public void PostConfigure(string? name, CookieAuthenticationOptions options)
    {
        if (name != scheme)
        {
            return;
        }

        if (options.SessionStore is not null)
        {
            throw new InvalidOperationException(
                $"The cookie scheme '{scheme}' has a SessionStore of its own, {options.SessionStore.GetType()}, and AddGridTicketStore() would be another: drop one of them.");
        }

        options.TicketDataFormat = new RememberedCookies(options.TicketDataFormat, _cache.Value);
        options.SessionStore = ActivatorUtilities.CreateInstance<GridTicketStore>(services, scheme, options, _cache.Value);
    }

    public void Dispose()
    {
        if (_cache.IsValueCreated)
        {
            _cache.Value.Dispose();
        }
    }
}
