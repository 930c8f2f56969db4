using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.AspNetCore.Tests;

/// <summary>A second scheme beside Grid: ASP.NET Core then has no default one, and says so only by a 500 for each request.</summary>
public sealed class SchemeCheckTests
{
    [Fact]
    public async Task Without_a_default_scheme_the_endpoint_that_needs_one_is_named_at_the_start()
    {
        var (_, text) = Assert.Single(await StartAsync(services => services.AddAuthentication(), app => app.MapGet("/needs-one", () => "").RequireAuthorization()), line => line.Id == 4004);

        Assert.Contains("Grid, Cookies", text, StringComparison.Ordinal);
        Assert.Contains("/needs-one", text, StringComparison.Ordinal);
        Assert.Contains("""AddAuthentication("Grid")""", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_requires_authorization_is_named_too() =>
        Assert.Contains(
            "/group/x",
            Assert.Single(await StartAsync(services => services.AddAuthentication(), app => app.MapGroup("/group").RequireAuthorization().MapGet("/x", () => "")), line => line.Id == 4004).Text,
            StringComparison.Ordinal);

    [Fact]
    public async Task Nothing_is_said_where_a_default_is_set_or_every_endpoint_names_its_scheme_or_there_is_one_scheme()
    {
        Assert.Empty(await StartAsync(services => services.AddAuthentication("Grid"), app => app.MapGet("/x", () => "").RequireAuthorization()));
        Assert.Empty(await StartAsync(services => services.AddAuthentication(), app =>
        {
            app.MapGet("/x", () => "").RequireAuthorization(policy => policy.AddAuthenticationSchemes("Grid").RequireAuthenticatedUser());
            app.MapGet("/y", () => "").RequireAuthorization().AllowAnonymous();
            app.MapGet("/z", () => "");
        }));
        Assert.Empty(await StartAsync(services => services.AddAuthentication(), app => app.MapGet("/x", () => "").RequireAuthorization(), cookie: false));
    }

    [Fact]
    public void A_second_Grid_of_the_same_scheme_is_refused_instead_of_mixing_its_options_into_the_first()
    {
        var authentication = new ServiceCollection().AddAuthentication().AddGrid("Other", _ => { });

        var refusal = Assert.Throws<InvalidOperationException>(() => authentication.AddGrid("Other", grid => grid.ApiKey = "other"));

        Assert.Contains("'Other'", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<List<(int Id, string Text)>> StartAsync(Func<IServiceCollection, AuthenticationBuilder> add, Action<WebApplication> map, bool cookie = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var authentication = add(builder.Services).AddGrid(grid => grid.ConnectionUri = new Uri("http://127.0.0.1:1"));
        if (cookie)
        {
            authentication.AddCookie();
        }

        builder.Services.AddAuthorization();
        await using var app = builder.Build();
        app.MapGrid();
        map(app);
        await app.StartAsync();
        await app.StopAsync();
        return [.. log.Lines];
    }
}
