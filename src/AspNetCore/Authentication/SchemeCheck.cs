using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Authentication;

/// <summary>
/// Reports at startup what would otherwise be a 500 for every request: there are other schemes beside Grid, none is the default, and an
/// endpoint requires authorization without naming one.
/// </summary>
internal sealed partial class SchemeCheck(
    IOptions<AuthenticationOptions> authentication, IServiceProvider services, ILogger<SchemeCheck> logger) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        next(app);
        if (WithoutScheme() is { } endpoint)
        {
            Log.NoDefaultScheme(logger, endpoint, string.Join(", ", authentication.Value.Schemes.Select(scheme => scheme.Name)), GridDefaults.AuthenticationScheme);
        }
    };

    private string? WithoutScheme()
    {
        var options = authentication.Value;
        if (options.Schemes.Count() < 2 || options.DefaultScheme is not null || (options.DefaultAuthenticateScheme is not null && options.DefaultChallengeScheme is not null)
            || services.GetService<IAuthorizationPolicyProvider>() is not { } policies || services.GetService<EndpointDataSource>() is not { } all)
        {
            return null;
        }

        foreach (var endpoint in all.Endpoints)
        {
            var wanted = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>();
            if (wanted.Count > 0 && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null && NamesNone(policies, endpoint, wanted))
            {
                return endpoint.DisplayName ?? endpoint.ToString()!;
            }
        }

        return null;
    }

    private static bool NamesNone(IAuthorizationPolicyProvider policies, Endpoint endpoint, IReadOnlyList<IAuthorizeData> wanted)
    {
        try
        {
            // The framework's own providers complete synchronously; one that queries a database is not waited for.
            var policy = AuthorizationPolicy.CombineAsync(policies, wanted, endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());
            return policy is { IsCompletedSuccessfully: true, Result.AuthenticationSchemes.Count: 0 };
        }
        catch (InvalidOperationException)
        {
            // A policy that does not exist: the framework reports that itself.
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4004, LogLevel.Error,
            "There are several authentication schemes ({Schemes}) and no default: {Endpoint}, which requires authorization without naming a scheme, will return 500. Set a default: AddAuthentication(\"{Grid}\")")]
        public static partial void NoDefaultScheme(ILogger logger, string endpoint, string schemes, string grid);
    }
}
