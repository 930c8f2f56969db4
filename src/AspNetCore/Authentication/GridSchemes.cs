using System.Runtime.CompilerServices;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Authentication;

/// <summary>
/// The schemes that <c>AddGrid()</c> was called for, each with its browser side. The first has the services and options without a name;
/// everything of a further one has the scheme's name as its key.
/// </summary>
internal sealed class GridSchemes
{
    private readonly (string Name, SessionRequests Side)[] _all;
    private readonly IServiceProvider _services;
    private readonly AuthenticationOptions _authentication;
    private readonly ConditionalWeakTable<Endpoint, SessionRequests[]> _named = [];

    public GridSchemes(IEnumerable<GridScheme> schemes, IServiceProvider services, IOptions<AuthenticationOptions> authentication)
    {
        (_services, _authentication) = (services, authentication.Value);
        First = services.GetRequiredService<SessionRequests>();
        _all = [.. schemes.Select(
            (scheme, at) => (scheme.Name, at == 0 ? First : services.GetRequiredKeyedService<SessionRequests>(scheme.Name)))];
        foreach (var (_, side) in _all)
        {
            side.IsOneOfSeveral = AreSeveral;
        }
    }

    public bool AreSeveral => _all.Length > 1;

    public SessionRequests First { get; }

    /// <summary>The browser side of a scheme.</summary>
    /// <exception cref="InvalidOperationException">There is no such scheme of Grid.</exception>
    public SessionRequests Find(string scheme)
    {
        foreach (var (name, side) in _all)
        {
            if (name == scheme)
            {
                return side;
            }
        }

        var there = $"{(AreSeveral ? "are" : "is")} {string.Join(", ", _all.Select(one => one.Name))}";
        throw new InvalidOperationException($"There is no scheme '{scheme}' of Grid; there {there}. Call AddGrid(\"{scheme}\", …).");
    }

    /// <summary>
    /// The schemes of Grid that an endpoint is for: those that its policy names, also if it allows anonymous requests. Only asked where
    /// there are several.
    /// </summary>
    public async ValueTask<IReadOnlyList<SessionRequests>> NamedByAsync(Endpoint? endpoint)
    {
        if (endpoint is null)
        {
            return [];
        }

        if (_named.TryGetValue(endpoint, out var known))
        {
            return known;
        }

        if (endpoint.Metadata.GetMetadata<OfGridScheme>() is { } own)
        {
            return _named.GetValue(endpoint, _ => [own.Side]);
        }

        if (_services.GetService<IAuthorizationPolicyProvider>() is not { } provider)
        {
            return [];
        }

        // As the framework does it: an endpoint that asks for nothing has the fallback policy, if there is one.
        var data = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>();
        var policies = endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>();
        var wanted = (await AuthorizationPolicy.CombineAsync(provider, data, policies))?.AuthenticationSchemes ?? [];
        SessionRequests[] named = [.. wanted.Select(scheme => _all.FirstOrDefault(one => one.Name == scheme).Side).OfType<SessionRequests>()];
        return provider.AllowsCachingPolicies ? _named.GetValue(endpoint, _ => named) : named;
    }

    /// <summary>The scheme that a call concerns that names none: of the endpoint's, the first; else the default one; else the first.</summary>
    public async ValueTask<SessionRequests> ForAsync(HttpContext context) =>
        !AreSeveral ? First : await NamedByAsync(context.GetEndpoint()) is [var first, ..] ? first : Default;

    /// <summary>The default scheme, if it is Grid's; else the first.</summary>
    public SessionRequests Default =>
        (_authentication.DefaultAuthenticateScheme ?? _authentication.DefaultScheme) is { } name
            && _all.FirstOrDefault(one => one.Name == name).Side is { } side ? side : First;

    /// <summary>As <see cref="ForAsync(HttpContext)"/>, for a call that may name a scheme.</summary>
    public static ValueTask<SessionRequests> ForAsync(HttpContext context, string? scheme) =>
        context.RequestServices.GetService<GridSchemes>() is { } all ? scheme is null ? all.ForAsync(context) : ValueTask.FromResult(all.Find(scheme))

        // A silo's own front: it has no scheme.
        : ValueTask.FromResult(context.RequestServices.GetRequiredService<SessionRequests>());
}

/// <summary>That <c>AddGrid()</c> was called for a scheme.</summary>
internal sealed record GridScheme(string Name);

/// <summary>Metadata of the endpoints that <c>MapGrid()</c> maps: whose they are.</summary>
internal sealed class OfGridScheme(SessionRequests side)
{
    public SessionRequests Side => side;
}
