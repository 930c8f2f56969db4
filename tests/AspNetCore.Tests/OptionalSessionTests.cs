using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>Endpoints that serve strangers too, and do not take one whose token has only expired for a stranger.</summary>
public sealed class OptionalSessionTests(CoreHost core)
{
    private const string TryRefresh = """{"message":"try refresh token"}""";

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    public async Task An_expired_token_is_sent_to_refresh_where_the_session_is_optional_and_nowhere_else(string mode)
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser(mode);
        Assert.Equal((200, "nobody"), await Brief(browser.GetAsync("/optional")));
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/optional")));

        core.Clock.Skip(TimeSpan.FromMinutes(61));

        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/optional")));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/group/inner")));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/attribute")));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/fallback-lifted")));
        Assert.Equal((200, "nobody"), await Brief(browser.GetAsync("/open")));
        Assert.Equal(404, (await browser.GetAsync("/no-such-page")).Status);
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/optional")));
    }

    [Fact]
    public async Task An_ended_session_is_told_once_and_its_browser_is_a_stranger_from_then_on()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        await app.Sessions.RevokeAsync(handle, TestContext.Current.CancellationToken);

        AssertCleared(await browser.GetAsync("/optional"), """{"message":"unauthorised"}""");
        Assert.Equal((200, "nobody"), await Brief(browser.GetAsync("/optional")));
    }

    [Fact]
    public async Task Grids_own_endpoints_in_such_a_group_judge_tokens_themselves()
    {
        await using var app = await ClientApp.StartAsync(core, use: app => app.MapGroup("").WithOptionalGridSession().MapGrid());
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        core.Clock.Skip(TimeSpan.FromMinutes(61));

        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    [Fact]
    public async Task A_session_that_is_there_must_have_the_claims_that_all_must_have()
    {
        await using var app = await StartAsync(options => options.ClaimValidators.Add(ClientApp.EmailVerified.IsTrue()));
        using var browser = app.NewBrowser();
        Assert.Equal((200, "nobody"), await Brief(browser.GetAsync("/optional")));
        await browser.PostAsync($"/sign-in?user={_user}");

        var refused = await browser.GetAsync("/optional");

        Assert.Equal((403, "email-verified"), (refused.Status, refused.Json["claimValidationErrors"]![0]!["id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task It_takes_no_requirement_away()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();

        Assert.Equal((401, """{"message":"unauthorised"}"""), await Brief(browser.GetAsync("/both")));
        Assert.Equal((401, """{"message":"unauthorised"}"""), await Brief(browser.GetAsync("/group/required")));
    }

    [Fact]
    public async Task It_finds_the_session_beside_another_default_scheme()
    {
        await using var app = await ClientApp.StartAsync(
            core,
            services: services => services.AddAuthentication("Cookies").AddCookie(),
            use: app =>
            {
                app.MapGrid();
                app.MapGet("/optional", User).WithOptionalGridSession();
            });
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal((200, _user), await Brief(browser.GetAsync("/optional")));
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/optional")));
    }

    [Fact]
    public async Task Forward_auth_lets_strangers_through_where_it_is_asked_so_and_sends_expired_tokens_to_refresh()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var stranger = await browser.GetAsync("/auth/verify-optional");
        Assert.Equal((200, null, "no-store"), (stranger.Status, stranger.Header("X-Grid-User"), stranger.Header("Cache-Control")));
        Assert.Equal(401, (await browser.GetAsync("/auth/verify/x?session=optional")).Status);
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(_user, (await browser.GetAsync("/auth/verify-optional/deep/path")).Header("X-Grid-User"));

        // A claim can be asked of nobody: the question itself is refused, which no proxy takes for "let it through".
        Assert.Equal(400, (await browser.GetAsync("/auth/verify-optional?require=role:admin")).Status);
        Assert.Equal(403, (await RawRequest.SendAsync(app.Url, "GET", "/auth/verify-optional/x/../../jwt/jwks.json")).Status);
        Assert.Equal(403, (await RawRequest.SendAsync(app.Url, "GET", "/auth/verify/../verify-optional")).Status);

        core.Clock.Skip(TimeSpan.FromMinutes(61));
        var expired = await browser.GetAsync("/auth/verify-optional");
        Assert.Equal((401, TryRefresh, TryRefresh), (expired.Status, expired.Text, expired.Header("X-Grid-Error")));
    }

    private static string User(HttpContext http) => http.GetGridSession()?.UserId ?? "nobody";

    private Task<ClientApp> StartAsync(Action<GridOptions>? configure = null) => ClientApp.StartAsync(core, configure, use: app =>
    {
        app.MapGrid();
        app.MapGet("/optional", User).WithOptionalGridSession();
        app.MapGet("/attribute", [OptionalGridSession] (HttpContext http) => User(http));
        app.MapGet("/both", User).WithOptionalGridSession().RequireAuthorization();
        app.MapGroup("/fallback-lifted").RequireAuthorization().MapGet("", User).AllowAnonymous().WithOptionalGridSession();
        var group = app.MapGroup("/group").WithOptionalGridSession();
        group.MapGet("/inner", User);
        group.MapGet("/required", User).RequireAuthorization();
    });
}
