using Grid.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;

namespace Grid.AspNetCore.Tests;

/// <summary>Requests with a cookie whose ticket is in Grid: no call for a known session, and dead at once everywhere all the same.</summary>
public sealed class CookieSessionTests(CoreHost core)
{
    private const string CookieName = ".AspNetCore.Cookies";

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_known_session_costs_neither_a_call_nor_a_look_and_a_revocation_waits_for_the_application()
    {
        var prefix = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await CookieApp.StartAsync(new Uri(core.Url, prefix), store: Long);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var calls = app.Calls;
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);

        // A machine that stands still for a lease makes a process know nothing any more: another fifty tell.
        var spent = (Reads: 1, Calls: 1);
        for (var attempt = 0; attempt < 5 && spent != (0, 0); attempt++)
        {
            var reads = core.Store.Reads(prefix["/appid-".Length..]);
            for (var i = 0; i < 50; i++)
            {
                Assert.Equal(200, (await browser.GetAsync("/me")).Status);
            }

            spent = (core.Store.Reads(prefix["/appid-".Length..]) - reads, app.Calls - calls);
            calls = app.Calls;
        }

        Assert.Equal((0, 0), spent);
        var receipt = await core.PostAsync($"{prefix}/session/revoke", new { sessionHandles = new[] { handle } });
        Assert.InRange((int)receipt.Json["holders"]!["confirmed"]!, 2, 100);
        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task A_session_that_is_ended_anywhere_is_over_in_every_process_at_the_next_request()
    {
        var keys = new EphemeralDataProtectionProvider();
        await using var one = await CookieApp.StartAsync(core.Url, keys, store: Long);
        await using var two = await CookieApp.StartAsync(core.Url, keys, store: Long);
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&role=reader");
        using var same = two.NewBrowser();
        same.Cookies[CookieName] = browser.Cookies[CookieName];
        Assert.Equal($"{_user} reader", (await same.GetAsync("/me")).Text);
        Assert.Equal($"{_user} reader", (await browser.GetAsync("/me")).Text);
        var calls = (one.Calls, two.Calls);

        await core.PostAsync("/session/revoke", new { userId = _user });

        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        Assert.Equal(302, (await same.GetAsync("/me")).Status);
        Assert.Equal("nobody", (await same.GetAsync("/open")).Text);
        Assert.Equal(calls, (one.Calls, two.Calls));
    }

    [Fact]
    public async Task A_cookie_of_an_ended_session_costs_one_look_and_no_more()
    {
        var prefix = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await CookieApp.StartAsync(new Uri(core.Url, prefix), store: Long);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        await core.PostAsync($"{prefix}/session/revoke", new { userId = _user });
        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        var (reads, calls) = (core.Store.Reads(prefix["/appid-".Length..]), app.Calls);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        }

        Assert.Equal((reads, calls), (core.Store.Reads(prefix["/appid-".Length..]), app.Calls));
    }

    [Fact]
    public async Task Requests_that_come_together_to_a_process_that_does_not_know_their_session_share_a_read()
    {
        var keys = new EphemeralDataProtectionProvider();
        await using var one = await CookieApp.StartAsync(core.Url, keys);
        await using var two = await CookieApp.StartAsync(core.Url, keys, store: options => options.ReadAgainAfter = TimeSpan.FromHours(1));
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        using var same = two.NewBrowser();
        same.Cookies[CookieName] = browser.Cookies[CookieName];

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => same.GetAsync("/me")));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(1, two.Calls);
    }

    [Fact]
    public async Task A_page_lists_the_users_sessions_and_ends_all_but_its_own()
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var phone = app.NewBrowser();
        using var laptop = app.NewBrowser();
        var handles = new[] { (await phone.PostAsync($"/sign-in?user={_user}")).Text, (await laptop.PostAsync($"/sign-in?user={_user}")).Text };
        Assert.Equal(handles.Order(), (await laptop.GetAsync("/sessions")).Text.Trim('[', ']').Split(',').Select(handle => handle.Trim('"')).Order());

        Assert.Equal("1", (await laptop.PostAsync("/sign-out-elsewhere")).Text);

        Assert.Equal((302, 200), ((await phone.GetAsync("/me")).Status, (await laptop.GetAsync("/me")).Status));
        Assert.Equal($"""["{handles[1]}"]""", (await laptop.GetAsync("/sessions")).Text);
    }

    [Fact]
    public async Task While_Grid_is_away_what_nobody_can_say_is_503_and_nobody_is_signed_out()
    {
        await using var cable = new TcpRelay(core.Url);
        await using var app = await CookieApp.StartAsync(cable.Url);
        using var known = app.NewBrowser();
        using var unseen = app.NewBrowser();
        await known.PostAsync($"/sign-in?user={_user}");
        await unseen.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await known.GetAsync("/me")).Status);

        cable.Cut();
        Assert.Equal(200, (await known.GetAsync("/me")).Status);
        Assert.Equal(503, (await known.PostAsync("/sign-out")).Status);
        foreach (var (method, path) in new[] { ("GET", "/me"), ("GET", "/open"), ("POST", "/sign-out") })
        {
            var refused = await unseen.SendAsync(method, path);
            Assert.Equal((503, """{"message":"temporarily unavailable, please retry"}""", "1"), (refused.Status, refused.Text, refused.Header("Retry-After")));
            Assert.Empty(refused.SetCookie);
        }

        cable.Mend();
        while ((await unseen.GetAsync("/me")).Status != 200)
        {
            await Task.Delay(50, Stop);
        }

        Assert.Equal(200, (await known.GetAsync("/me")).Status);
        Assert.Equal(2, (await app.Sessions.ListAsync(_user, null, Stop)).Count);
    }

    [Fact]
    public async Task Where_the_app_accepts_stale_sessions_a_ticket_does_without_Grid_for_as_long_as_it_may_be_old()
    {
        var prefix = await core.CreateAppAsync(new { stale_session_behaviour = "BOUNDED" });
        var clock = new SkippingTime();
        await using var cable = new TcpRelay(new Uri(core.Url, prefix));
        await using var app = await CookieApp.StartAsync(cable.Url, clock: clock);
        using var known = app.NewBrowser();
        using var unseen = app.NewBrowser();
        await known.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await known.GetAsync("/me")).Status);
        await unseen.PostAsync($"/sign-in?user={_user}");

        cable.Cut();
        Assert.Equal(200, (await unseen.GetAsync("/me")).Status);

        clock.Skip(TimeSpan.FromSeconds(61));
        Assert.Equal(503, (await unseen.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task What_a_request_does_to_its_principal_is_not_seen_by_the_next()
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&role=reader");

        Assert.Equal(200, (await browser.GetAsync("/tamper")).Status);

        Assert.Equal($"{_user} reader", (await browser.GetAsync("/me")).Text);
        Assert.DoesNotContain("tampered", (await browser.GetAsync("/properties")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ticket_whose_key_is_lost_signs_out_with_one_log_line_and_its_session_can_be_ended()
    {
        var format = new TicketDataFormat(new EphemeralDataProtectionProvider().CreateProtector("cookie"));
        await using var one = await CookieApp.StartAsync(core.Url, cookie: options => options.TicketDataFormat = format, store: Long);
        await using var two = await CookieApp.StartAsync(core.Url, cookie: options => options.TicketDataFormat = format, store: Long);
        using var browser = one.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        using var elsewhere = two.NewBrowser();
        elsewhere.Cookies[CookieName] = browser.Cookies[CookieName];

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(302, (await elsewhere.GetAsync("/me")).Status);
        }

        var (_, text) = Assert.Single(two.Log.Lines, line => line.Id == 4020);
        Assert.Contains(handle, text, StringComparison.Ordinal);
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);

        Assert.Equal(200, (await elsewhere.PostAsync("/sign-out")).Status);
        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task With_all_keys_lost_the_cookie_is_none_and_a_sign_in_makes_a_new_session()
    {
        await using var one = await CookieApp.StartAsync(core.Url);
        await using var two = await CookieApp.StartAsync(core.Url);
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        using var elsewhere = two.NewBrowser();
        elsewhere.Cookies[CookieName] = browser.Cookies[CookieName];

        Assert.Equal(302, (await elsewhere.GetAsync("/me")).Status);
        Assert.Equal(200, (await elsewhere.PostAsync($"/sign-in?user={_user}")).Status);

        Assert.Equal(200, (await elsewhere.GetAsync("/me")).Status);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"authenticationTicket":7}""")]
    [InlineData("""{"authenticationTicket":"AAAA"}""")]
    [InlineData("""{"authenticationTicket":"?"}""")]
    public async Task A_session_without_a_ticket_signs_out(string data)
    {
        await using var app = await CookieApp.StartAsync(core.Url, store: options => options.ReadAgainAfter = TimeSpan.Zero);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        await app.Sessions.UpdateDataAsync(handle, data, Stop);

        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        Assert.Equal(1, app.Log.Count(4020));
    }

    [Fact]
    public async Task A_ticket_that_somebody_moved_to_another_users_session_is_not_opened_there()
    {
        await using var app = await CookieApp.StartAsync(core.Url, store: options => options.ReadAgainAfter = TimeSpan.Zero);
        using var admin = app.NewBrowser();
        using var user = app.NewBrowser();
        var of = (await admin.PostAsync($"/sign-in?user={_user}-admin&role=admin")).Text;
        var to = (await user.PostAsync($"/sign-in?user={_user}")).Text;

        await app.Sessions.UpdateDataAsync(to, (await app.Sessions.FindAsync(of, Stop))!.DataJson, Stop);

        Assert.Equal(302, (await user.GetAsync("/me")).Status);
        Assert.Equal($"{_user}-admin admin", (await admin.GetAsync("/me")).Text);
    }

    // However slow the machine is, what is remembered is not too old yet.
    private static void Long(GridTicketStoreOptions options) => options.ReadAgainAfter = TimeSpan.FromHours(1);
}
