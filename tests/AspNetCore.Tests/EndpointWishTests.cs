using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>What a group and an endpoint want: requirements add up, settings are overridden.</summary>
public sealed class EndpointWishTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task Claims_that_a_group_and_an_endpoint_require_add_up_in_any_order()
    {
        await using var app = await StartAsync(app =>
        {
            var outer = app.MapGroup("/outer").RequireGridClaims(Has("a"));
            var inner = outer.MapGroup("/inner").RequireGridClaims(Has("b"));
            outer.MapGet("/a", Open);
            inner.MapGet("/ab", Open);
            inner.MapGet("/abc", Open).RequireGridClaims(Has("c"));
            inner.MapGet("/abcd", Open).RequireGridClaims(Has("c")).RequireGridClaims(Has("d"));
            inner.MapGet("/dropped-before", Open).WithGrid(new GridEndpoint { ClaimValidators = _ => [] }).RequireGridClaims(Has("c"));
            inner.MapGet("/dropped-after", Open).RequireGridClaims(Has("c")).WithGrid(new GridEndpoint { ClaimValidators = _ => [], CheckEachRequest = true });
            inner.MapGet("/set", Open).WithGrid(new GridEndpoint { CheckEachRequest = false });
            inner.MapGet("/authorized", Open).RequireAuthorization().RequireGridClaims(Has("c")).RequireAuthorization("admin");

            // What is required of a group after its endpoints were mapped holds all the same.
            var late = app.MapGroup("/late");
            late.MapGet("/ab", Open).RequireGridClaims(Has("b"));
            late.RequireGridClaims(Has("a"));
        });

        await ExpectAsync(app, "/outer/a", "a");
        await ExpectAsync(app, "/outer/inner/ab", "ab");
        await ExpectAsync(app, "/outer/inner/abc", "abc");
        await ExpectAsync(app, "/outer/inner/abcd", "abcd");
        await ExpectAsync(app, "/outer/inner/dropped-before", "abc");
        await ExpectAsync(app, "/outer/inner/dropped-after", "abc");
        await ExpectAsync(app, "/outer/inner/set", "ab");
        await ExpectAsync(app, "/outer/inner/authorized", "abc");
        await ExpectAsync(app, "/late/ab", "ab");
    }

    [Fact]
    public async Task Every_requirement_that_fails_is_named()
    {
        await using var app = await StartAsync(app => app.MapGroup("/g").RequireGridClaims(Has("a")).MapGet("/x", Open).RequireGridClaims(Has("b")));
        using var browser = app.NewBrowser();
        await SignInAsync(browser, "");

        var refused = await browser.GetAsync("/g/x");

        Assert.Equal(403, refused.Status);
        Assert.Equal(["a", "b"], refused.Json["claimValidationErrors"]!.AsArray().Select(problem => problem!["id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task General_validators_are_changed_step_by_step_and_settings_by_the_nearest()
    {
        await using var app = await StartAsync(
            app =>
            {
                var group = app.MapGroup("/g").WithGrid(new GridEndpoint { CheckAntiCsrf = false, ClaimValidators = general => general.Append(Has("b")) });
                group.MapPost("/ab", Open).RequireAuthorization();
                group.MapPost("/abc", Open).RequireAuthorization().WithGrid(new GridEndpoint { ClaimValidators = general => general.Append(Has("c")) });
                group.MapPost("/none", Open).RequireAuthorization().WithGrid(new GridEndpoint { ClaimValidators = _ => [] });
                group.MapPost("/guarded", Open).RequireAuthorization().WithGrid(new GridEndpoint { CheckAntiCsrf = true });
            },
            options =>
            {
                options.ClaimValidators.Add(Has("a"));
                options.AntiCsrf = AntiCsrfMode.ViaCustomHeader;
            });

        await ExpectAsync(app, "/g/ab", "ab", "POST");
        await ExpectAsync(app, "/g/abc", "abc", "POST");
        await ExpectAsync(app, "/g/none", "", "POST");
        using var browser = app.NewBrowser();
        await SignInAsync(browser, "abc");
        Assert.Equal(401, (await browser.PostAsync("/g/guarded")).Status);
        Assert.Equal(200, (await browser.PostAsync("/g/guarded", null, ("rid", "session"))).Status);
    }

    [Fact]
    public async Task Authentication_before_routing_lets_no_requirement_drop()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.UseAuthentication();
            app.UseRouting();
            app.UseAuthorization();
            app.MapGrid();
            app.MapPost("/as", SignIn);
            app.MapGroup("/g").RequireGridClaims(Has("a")).MapGet("/x", Open).RequireGridClaims(Has("b"));
        });

        await ExpectAsync(app, "/g/x", "ab");
    }

    [Fact]
    public async Task Another_scheme_s_user_does_not_stand_in_for_a_session()
    {
        await using var app = await ClientApp.StartAsync(
            core,
            services: services => services.AddAuthentication("Other").AddScheme<AuthenticationSchemeOptions, EverybodyIsRoot>("Other", null),
            use: app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapGet("/plain", Open).RequireAuthorization();
                app.MapGet("/claims", Open).RequireGridClaims(Has("a"));
            });
        using var browser = app.NewBrowser();

        Assert.Equal(200, (await browser.GetAsync("/plain")).Status);
        Assert.Equal(403, (await browser.GetAsync("/claims")).Status);
    }

    private static string Open() => "in";

    private static BooleanClaimValidator Has(string key) => new(key);

    private static async Task SignIn(HttpContext http, string claims) =>
        await http.SignInGridAsync("u", new JsonObject(claims.Select(key => KeyValuePair.Create(key.ToString(), (JsonNode?)true)).Append(KeyValuePair.Create("st-role", (JsonNode?)new JsonObject { ["v"] = new JsonArray("admin"), ["t"] = 1 }))));

    private static async Task SignInAsync(TestBrowser browser, string claims) => Assert.Equal(200, (await browser.PostAsync($"/as?claims={claims}")).Status);

    private Task<ClientApp> StartAsync(Action<WebApplication> map, Action<GridOptions>? configure = null) => ClientApp.StartAsync(core, configure, use: app =>
    {
        app.MapGrid();
        app.MapPost("/as", SignIn);
        map(app);
    });

    // In with all of them, out if any is missing.
    private static async Task ExpectAsync(ClientApp app, string path, string claims, string method = "GET")
    {
        using var browser = app.NewBrowser();
        await SignInAsync(browser, claims + "z");
        Assert.Equal((path, 200), (path, (await browser.SendAsync(method, path)).Status));
        foreach (var missing in claims)
        {
            using var other = app.NewBrowser();
            await SignInAsync(other, claims.Replace($"{missing}", "", StringComparison.Ordinal) + "z");
            var refused = await other.SendAsync(method, path);
            Assert.Equal((path, missing, 403), (path, missing, refused.Status));
            Assert.Equal($"{missing}", Assert.Single(refused.Json["claimValidationErrors"]!.AsArray())!["id"]!.GetValue<string>());
        }
    }

    private sealed class BooleanClaimValidator(string key) : ClaimValidator(key)
    {
        public override ClaimProblem? Validate(JsonElement payload, DateTimeOffset now) => payload.TryGetProperty(Id, out _) ? null : new ClaimProblem(Id, []);
    }

    private sealed class EverybodyIsRoot(
        Microsoft.Extensions.Options.IOptionsMonitor<AuthenticationSchemeOptions> options, Microsoft.Extensions.Logging.ILoggerFactory logger, System.Text.Encodings.Web.UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(AuthenticateResult.Success(
            new AuthenticationTicket(new System.Security.Claims.ClaimsPrincipal(new System.Security.Claims.ClaimsIdentity([new("sub", "root")], "Other")), "Other")));
    }
}
