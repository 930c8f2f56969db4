using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>A session as a parameter of a minimal API's endpoint.</summary>
public sealed class BindingTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_session_is_a_parameter_and_without_one_the_scheme_answers()
    {
        await using var app = await StartAsync(app =>
        {
            app.MapGet("/required", (GridSession session) => session.UserId);
            app.MapPost("/required", (GridSession session, HttpContext http) => ReferenceEquals(session, http.GetGridSession()));
        });
        using var browser = app.NewBrowser();
        var refused = await browser.GetAsync("/required");
        Assert.Equal((401, """{"message":"unauthorised"}"""), (refused.Status, refused.Text));

        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((_user, "true"), ((await browser.GetAsync("/required")).Text, (await browser.PostAsync("/required", headers: ("rid", "session"))).Text));

        core.Clock.Skip(TimeSpan.FromHours(2));
        refused = await browser.GetAsync("/required");
        Assert.Equal((401, """{"message":"try refresh token"}"""), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task A_session_that_may_be_missing_is_null_for_strangers_and_refreshed_if_its_token_has_expired()
    {
        await using var app = await StartAsync(app =>
        {
            app.MapGet("/optional", (GridSession? session) => session?.UserId ?? "stranger");
            app.MapGet("/default", Default);
            app.MapGroup("/closed").RequireAuthorization().MapGet("/optional", (GridSession? session) => session?.UserId ?? "stranger");
        });
        using var browser = app.NewBrowser();
        Assert.Equal(("stranger", "stranger", 401), ((await browser.GetAsync("/optional")).Text, (await browser.GetAsync("/default")).Text, (await browser.GetAsync("/closed/optional")).Status));

        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((_user, _user, _user), ((await browser.GetAsync("/optional")).Text, (await browser.GetAsync("/default")).Text, (await browser.GetAsync("/closed/optional")).Text));

        core.Clock.Skip(TimeSpan.FromHours(2));
        var refused = await browser.GetAsync("/optional");
        Assert.Equal((401, """{"message":"try refresh token"}"""), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task Requirements_add_up_with_the_parameter_s()
    {
        await using var app = await StartAsync(app => app.MapGet("/verified-parameter", (GridSession session) => session.UserId).RequireGridClaims(ClientApp.EmailVerified.IsTrue()));
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(403, (await browser.GetAsync("/verified-parameter")).Status);
        await browser.PostAsync("/verify-email", headers: ("rid", "session"));
        Assert.Equal(200, (await browser.GetAsync("/verified-parameter")).Status);
    }

    [Fact]
    public async Task A_session_knows_when_its_token_expires_and_a_new_one_when_it_expires_itself()
    {
        await using var app = await StartAsync(app =>
        {
            app.MapPost("/new", async (HttpContext http, CancellationToken _) => Times(await http.SignInGridAsync(_user)));
            app.MapGet("/known", (GridSession session) => Times(session));
        });
        using var browser = app.NewBrowser();

        var created = JsonNode.Parse((await browser.PostAsync("/new")).Text)!.AsArray();
        var known = JsonNode.Parse((await browser.GetAsync("/known")).Text)!.AsArray();

        var between = created[1]!.GetValue<DateTimeOffset>() - created[0]!.GetValue<DateTimeOffset>();
        Assert.InRange(between, TimeSpan.FromDays(99), TimeSpan.FromDays(100));
        Assert.Equal((created[0]!.GetValue<DateTimeOffset>(), null), (known[0]!.GetValue<DateTimeOffset>(), (object?)known[1]));

        static DateTimeOffset?[] Times(GridSession session) => [session.AccessTokenExpiresAt, session.ExpiresAt];
    }

    [Fact]
    public async Task Another_scheme_s_user_has_no_session_to_bind()
    {
        await using var app = await ClientApp.StartAsync(
            core,
            services: services => services.AddAuthentication("Cookies").AddCookie("Cookies"),
            use: app =>
            {
                app.MapPost("/in", (HttpContext http) => http.SignInAsync("Cookies", new(new System.Security.Claims.ClaimsIdentity([new("sub", "root")], "Cookies"))));
                app.MapGet("/required", (GridSession session) => session.UserId);
            });
        using var browser = app.NewBrowser();
        await browser.PostAsync("/in");

        Assert.DoesNotContain((await browser.GetAsync("/required")).Status, (int[])[200, 400, 500]);
    }

    private static string Default(GridSession? session = null) => session?.UserId ?? "stranger";

    private Task<ClientApp> StartAsync(Action<WebApplication> map) => ClientApp.StartAsync(core, use: app =>
    {
        app.MapGrid();
        map(app);
    });
}
