extern alias shop;

using System.Net;
using System.Security.Claims;
using Grid.AspNetCore;
using Grid.Samples.MinimalApi;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Grid.Testing.Tests;

/// <summary>An application with <c>AddGrid()</c> under test, without any Grid.</summary>
public sealed class ApplicationTests : IDisposable
{
    private readonly WebApplicationFactory<shop::Program> _application;
    private readonly WebApplicationFactory<shop::Program> _factory;

    public ApplicationTests()
    {
        _application = Applications.Of<shop::Program>();
        _factory = _application.WithGridSessions();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _factory.Dispose();
        _application.Dispose();
    }

    [Fact]
    public async Task A_client_has_the_session_that_it_was_given_and_others_have_none()
    {
        using var alice = _factory.CreateClient().WithGridSession("alice");
        using var bob = _factory.CreateClient().WithGridSession("bob");
        using var nobody = _factory.CreateClient();

        Assert.Equal("alice", await alice.GetStringAsync("/me", Stop));
        Assert.Equal("bob", await bob.GetStringAsync("/me", Stop));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(nobody, "/me"));
        Assert.Single(await _factory.GetGridSessions().ListAsync("alice", null, Stop));
        Assert.Equal("1", await alice.GetStringAsync("/sessions", Stop));
    }

    [Fact]
    public async Task A_second_app_has_sessions_in_memory_of_its_own_and_needs_no_address()
    {
        await using var application = Applications.Of<shop::Program>(services =>
        {
            services.AddAuthentication("Grid").AddGrid("admin", _ => { });
        });
        await using var factory = application.WithGridSessions();
        using var alice = factory.CreateClient().WithGridSession("alice");

        Assert.Equal("alice", await alice.GetStringAsync("/me", Stop));
        var admin = factory.Services.GetRequiredKeyedService<GridTestSessions>("admin");
        Assert.Same(admin, factory.Services.GetRequiredKeyedService<IGridSessions>("admin"));
        Assert.Empty(await admin.ListAsync("alice", null, Stop));
        Assert.Single(await factory.GetGridSessions().ListAsync("alice", null, Stop));
    }

    [Fact]
    public async Task Claims_roles_and_payload_are_what_endpoints_ask_for()
    {
        using var plain = _factory.CreateClient().WithGridSession("alice");
        using var whole = _factory.CreateClient().WithGridSession("alice", session =>
        {
            session.WithRoles("admin").With(Shop.EmailVerified, true);
            session.Payload["plan"] = "gold";
        });
        using var byClaims = _factory.CreateClient().WithGridSession("bob", new Claim(ClaimTypes.Role, "reader"), new Claim(ClaimTypes.Role, "admin"), new Claim("plan", "iron"), new Claim("beds", "2", ClaimValueTypes.Integer));

        Assert.Equal(
            [HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.OK], [await StatusAsync(plain, "/admin"), await StatusAsync(plain, "/orders"), await StatusAsync(plain, "/plan")]);
        Assert.Equal(("in", "orders of alice", "gold"), (await whole.GetStringAsync("/admin", Stop), await whole.GetStringAsync("/orders", Stop), await whole.GetStringAsync("/plan", Stop)));
        Assert.Equal("in", await byClaims.GetStringAsync("/admin", Stop));
        var stored = await _factory.GetGridSessions().FindAsync((await _factory.GetGridSessions().ListAsync("bob", null, Stop)).Single(), Stop);
        Assert.Contains("\"beds\":2", stored!.PayloadJson, StringComparison.Ordinal);
        Assert.Equal(("in", "iron"), (await byClaims.GetStringAsync("/admin", Stop), await byClaims.GetStringAsync("/plan", Stop)));
    }

    [Fact]
    public async Task What_the_test_revokes_is_refused_by_the_next_request_and_ends_what_waits()
    {
        using var here = _factory.CreateClient().WithGridSession("alice");
        using var there = _factory.CreateClient().WithGridSession("alice");
        using var other = _factory.CreateClient().WithGridSession("bob");
        Assert.Equal(["alice", "alice", "bob"], [await here.GetStringAsync("/me", Stop), await there.GetStringAsync("/me", Stop), await other.GetStringAsync("/me", Stop)]);
        using var waiting = await here.GetAsync("/wait", HttpCompletionOption.ResponseHeadersRead, Stop);

        Assert.Equal(2, _factory.GetGridSessions().Revoke("alice").Count);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(here, "/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(there, "/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(here, "/me"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(other, "/me"));
        Assert.Equal("waiting ended", await waiting.Content.ReadAsStringAsync(Stop).WaitAsync(TimeSpan.FromMinutes(1), Stop));
    }

    [Fact]
    public async Task The_application_ends_sessions_as_in_production()
    {
        using var here = _factory.CreateClient().WithGridSession("alice");
        using var there = _factory.CreateClient().WithGridSession("alice");
        Assert.Equal(["alice", "alice"], [await here.GetStringAsync("/me", Stop), await there.GetStringAsync("/me", Stop)]);

        using var elsewhere = await here.PostAsync("/sign-out-elsewhere", null, Stop);
        Assert.Equal("1 sessions have ended", await elsewhere.Content.ReadAsStringAsync(Stop));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Unauthorized], [await StatusAsync(here, "/me"), await StatusAsync(there, "/me")]);

        using var signedOut = await here.PostAsync("/sign-out", null, Stop);
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(here, "/me"));
        Assert.Empty(await _factory.GetGridSessions().ListAsync("alice", null, Stop));
    }

    [Fact]
    public async Task A_token_that_an_endpoint_changes_is_taken_over()
    {
        using var client = _factory.CreateClient().WithGridSession("alice");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "/orders"));

        using var set = await client.PostAsync("/verify-email", null, Stop);

        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Equal("orders of alice", await client.GetStringAsync("/orders", Stop));
    }

    [Fact]
    public async Task A_client_signs_in_by_the_applications_own_endpoint_over_cookies_and_headers()
    {
        using var browser = _factory.CreateClient();
        browser.DefaultRequestHeaders.Add("st-auth-mode", "cookie");
        using var byCookie = await browser.PostAsync("/sign-in-gold/alice", null, Stop);
        Assert.Equal("gold", await browser.GetStringAsync("/plan", Stop));

        using var guest = _factory.CreateClient().WithGridSession("guest");
        Assert.Equal("guest", await guest.GetStringAsync("/me", Stop));
        using var byHeader = await guest.PostAsync("/sign-in/bob", null, Stop);
        Assert.Equal("bob", await guest.GetStringAsync("/me", Stop));
        Assert.Empty(await _factory.GetGridSessions().ListAsync("guest", null, Stop));
    }

    [Fact]
    public async Task Tokens_that_expire_are_refreshed_as_a_browsers_sdk_does()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var sessions = new GridTestSessions(clock);
        using var application = Applications.Of<shop::Program>(services => services.AddSingleton<TimeProvider>(clock));
        using var factory = application.WithGridSessions(sessions);
        using var client = factory.CreateClient().WithGridSession("alice");
        Assert.Equal("alice", await client.GetStringAsync("/me", Stop));
        var handle = Assert.Single(await sessions.ListAsync("alice", null, Stop));

        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal("alice", await client.GetStringAsync("/me", Stop));
        Assert.Equal([handle], await sessions.ListAsync("alice", null, Stop));

        clock.Advance(TimeSpan.FromDays(101));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "/me"));
    }

    [Fact]
    public async Task While_Grid_is_away_the_application_answers_503_and_signs_nobody_out()
    {
        using var client = _factory.CreateClient().WithGridSession("alice");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/me"));

        _factory.GetGridSessions().IsAway = true;
        Assert.Equal([HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable], [await StatusAsync(client, "/me"), await StatusAsync(client, "/sessions")]);

        _factory.GetGridSessions().IsAway = false;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/me"));
    }

    [Fact]
    public async Task Whoever_makes_the_header_up_has_no_session()
    {
        using var client = _factory.CreateClient();
        client.DefaultRequestHeaders.Add("grid-test-session", $"{Guid.NewGuid():N}");

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "/me"));
    }

    [Theory]
    [InlineData(AntiCsrfMode.None)]
    [InlineData(AntiCsrfMode.ViaCustomHeader)]
    [InlineData(AntiCsrfMode.ViaToken)]
    public async Task An_application_that_takes_cookies_only_is_sent_cookies_with_what_protects_them(AntiCsrfMode mode)
    {
        using var factory = _application
            .WithWebHostBuilder(builder => builder.ConfigureTestServices(services => services.Configure<GridOptions>(options => (options.TokenTransfer, options.AntiCsrf) = (TokenTransfer.Cookie, mode))))
            .WithGridSessions();
        using var client = factory.CreateClient().WithGridSession("alice");

        using var set = await client.PostAsync("/verify-email", null, Stop);
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Equal("orders of alice", await client.GetStringAsync("/orders", Stop));
        factory.GetGridSessions().Revoke("alice");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "/me"));
    }

    internal static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path, Stop);
        return answer.StatusCode;
    }
}
