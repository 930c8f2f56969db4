using System.Diagnostics.Metrics;
using Grid.Abstractions.Clocks;
using Grid.AspNetCore;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Endpoints;
using Grid.Client;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Grid.WebFront.Doors;
using Grid.WebFront.Front.FirstPage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.WebFront.Front;

/// <summary>
/// The front API, which browsers call. The endpoints are those of <c>Grid.AspNetCore</c>, here in the silo's own process.
/// </summary>
public static class GridFront
{
    internal const string TicketBrake = "ticket";

    // Unlike a key, a ticket may well be late; and behind a proxy a whole site has one address.
    private const int MaxWrongTickets = 100;

    /// <summary>Registers what only the front needs; <c>AddGridCore</c> registers the sessions.</summary>
    public static IServiceCollection AddGridFront(this IServiceCollection services, FrontSettings front)
    {
        ArgumentNullException.ThrowIfNull(front);
        services.AddSingleton(front);
        services.AddSingleton<InProcessSessions>();
        services.AddMetrics();
        services.AddKeyedSingleton(TicketBrake, static (provider, _) => new GuessBrake(
            "ticket", MaxWrongTickets, provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("Grid.WebFront.Front")));
        services.AddSingleton<FrontTickets>();
        services.AddSingleton<FrontFailures>();
        services.AddSingleton<IGridSessions>(provider => provider.GetRequiredService<InProcessSessions>());
        services.AddGridBrowserSide(front.Browser);
        services.AddRouting();
        services.AddCors();
        return services;
    }

    /// <summary>Adds the front to the pipeline; it handles every request that reaches it.</summary>
    public static IApplicationBuilder UseGridFront(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.ApplicationServices.GetRequiredService<IOptions<GridOptions>>().Value;
        var front = app.ApplicationServices.GetRequiredService<FrontSettings>();
        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Grid.WebFront.Front");
        var failures = app.ApplicationServices.GetRequiredService<FrontFailures>();
        app.UseGridFraming();
        app.Use((context, next) => failures.GuardAsync(context, next));

        // No exposed headers here: each response names its own.
        app.UseCors(cors => cors.WithOrigins([.. options.WebsiteDomains]).AllowCredentials().AllowAnyMethod()
            .WithHeaders([.. GridDefaults.CorsRequestHeaders]).SetPreflightMaxAge(TimeSpan.FromMinutes(10)));

        // With a wrong clock, sessions only seem to have expired: report an outage, which signs no one out.
        var clock = app.ApplicationServices.GetRequiredService<ClockTrust>();
        app.Use((context, next) => clock.IsTrusted ? next(context) : UnavailableAsync(context));
        if (front.RefusesOtherOrigins)
        {
            var origin = new DeclaredOrigin(options, logger);
            app.Use((context, next) => origin.CheckAsync(context, next));
        }

        app.UseRouting();
        app.Use(next => FrontClass.Limit(app.ApplicationServices, next, OverloadedAsync));
        app.UseEndpoints(routes =>
        {
            routes.MapGrid().Add(FrontClass.Mark);
            routes.MapFront("POST", options.ApiBasePath.TrimEnd('/') + "/session/ticket", RedeemTicket.HandleAsync).WithMetadata(new FrontClass(RequestClass.Create));
            if (front.ShowsFirstPage)
            {
                routes.MapFirstPage(options.ApiBasePath.TrimEnd('/'));
            }
        });
        app.Run(context => FrontAnswers.MessageAsync(
            context, StatusCodes.Status404NotFound, IsOfCore(context.Request.Path) ? "not found: this is Grid's front for browsers; the core API has its own port (Grid:Core:Port)" : "not found"));
        return app;
    }

    // Tells a back end that was configured with the front's port.
    private static bool IsOfCore(PathString path) => CorePath.Parse(path.Value ?? "/").Rest is var rest
        && (rest.StartsWith("/recipe/", StringComparison.OrdinalIgnoreCase) || rest is "/apiversion" or "/hello" or "/session/holders" or "/session/revoke");

    private static Task OverloadedAsync(HttpContext context) => UnavailableAsync(context, AdmissionDoor.RetryAfter());

    private static Task UnavailableAsync(HttpContext context, string retryAfter = "1")
    {
        context.Response.Headers.RetryAfter = retryAfter;
        return FrontAnswers.MessageAsync(context, StatusCodes.Status503ServiceUnavailable, "temporarily unavailable, please retry");
    }
}
