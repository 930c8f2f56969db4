using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Tokens.Access;
using Grid.WebFront.Admission;
using Grid.WebFront.Core.Multitenancy;
using Grid.WebFront.Core.Revocation;
using Grid.WebFront.Core.Service;
using Grid.WebFront.Core.Sessions;
using Grid.WebFront.Core.Users;
using Grid.WebFront.Doors;
using Grid.WebFront.GrainDoors;
using Grid.WebFront.Sessions;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.WebFront.Core;

/// <summary>The core API, which back ends in any language call.</summary>
public static class GridCore
{
    /// <summary>Registers the core API's own services; grains, keys and the store come from the silo.</summary>
    public static IServiceCollection AddGridCore(this IServiceCollection services)
    {
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => new AccessTokenVerifier());
        services.AddMetrics();
        services.TryAddSingleton<AccessTokens>();
        services.TryAddSingleton<StoredSessions>();
        services.TryAddSingleton<ServiceJwts>();
        services.TryAddSingleton<SessionIssuer>();
        services.TryAddSingleton<SessionVerifier>();
        services.TryAddSingleton<SessionRefresher>();
        services.TryAddSingleton(new ReadThrough(IsOn: false));
        services.TryAddSingleton<ServiceDoor>();
        services.TryAddSingleton<ConnectHolder>();
        services.TryAddSingleton<Revocations>();
        services.TryAddSingleton<SigningKeyRevocation>();
        services.TryAddSingleton<TenantDoor>();
        services.TryAddSingleton<AppDefaults>();
        services.TryAddSingleton<InstallationDefaults>();
        services.TryAddSingleton<StorePulse>();
        services.TryAddSingleton(AdmissionLimits.Default);
        services.TryAddSingleton<AdmissionControl>();
        services.TryAddSingleton<CoreGate>();
        services.TryAddSingleton<CoreFailures>();
        services.TryAddSingleton<DoorGate>();
        services.TryAddSingleton<Tunnels>();
        services.TryAddSingleton<ClientWatches>();
        return services;
    }

    /// <summary>Answers every request that reaches this point.</summary>
    public static IApplicationBuilder UseGridCore(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var gate = app.ApplicationServices.GetRequiredService<CoreGate>();
        var failures = app.ApplicationServices.GetRequiredService<CoreFailures>();
        app.UseGridFraming();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(5), KeepAliveTimeout = TimeSpan.FromSeconds(5) });

        // With a wrong clock nothing can be said to have expired: answer as in an outage, which signs nobody out.
        var clock = app.ApplicationServices.GetRequiredService<ClockTrust>();
        app.Use((context, next) => clock.IsTrusted ? next(context) : CoreFailures.WriteUnavailableAsync(context));
        app.Use((context, next) => failures.GuardAsync(context, next));
        app.UseRouting();
        var admission = app.ApplicationServices.GetRequiredService<AdmissionControl>();

        // The gate costs little, and only by the key can be told whose share a request takes.
        app.Use((context, next) => gate.CheckAsync(context, next));
        app.Use((context, next) => AdmissionDoor.BeforeAsync(
            context, admission, Class(context), Asker.Of(CoreRequest.Of(context).Caller), next, CoreFailures.WriteOverloadedAsync));
        app.Use((context, next) =>
        {
            AdmissionDoor.EnterIfWhole(context);
            return next(context);
        });
        var hasUpstream = app.ApplicationServices.GetService<UpstreamSettings>() is not null;
        app.UseEndpoints(core => MapAll(core, hasUpstream));
        return app;
    }

    private static RequestClass Class(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<CoreRoute>()?.Class ?? RequestClass.None;

    private static void MapAll(IEndpointRouteBuilder core, bool hasUpstream)
    {
        core.MapSessions();
        core.MapRevocation();
        core.MapService(hasUpstream);
        if (hasUpstream)
        {
            core.MapUpstream();
        }
        else
        {
            core.MapMultitenancy();
            core.MapUsers();
        }
    }
}
