using Grid.TestKit;
using Microsoft.AspNetCore.DataProtection;

namespace Grid.AspNetCore.Tests;

/// <summary>Sliding expiration and replaced principals in several processes, and what a renewal never does: bring an ended session back.</summary>
public sealed class CookieRenewalTests(CoreHost core)
{
    private const string CookieName = ".AspNetCore.Cookies";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly string _user = $"user-{Guid.NewGuid():N}";
    private readonly EphemeralDataProtectionProvider _keys = new();
    private readonly SkippingTime _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_slides_as_the_cookie_handler_says_and_no_process_signs_out_by_what_it_remembers()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&persistent=true");
        using var same = Same(browser, two);
        Assert.Equal(200, (await same.GetAsync("/me")).Status);

        _clock.Skip(TimeSpan.FromMinutes(6));
        var renewed = await browser.GetAsync("/me");
        Assert.Equal(200, renewed.Status);
        Assert.Contains("expires=", Assert.Single(renewed.SetCookie), StringComparison.Ordinal);

        // What the other process remembers is due; what is stored is not.
        Assert.Empty((await same.GetAsync("/me")).SetCookie);
        Assert.Empty((await browser.GetAsync("/me")).SetCookie);

        _clock.Skip(TimeSpan.FromMinutes(5));
        Assert.Equal(200, (await same.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task Of_two_processes_the_one_that_remembers_an_expired_ticket_reads_again_before_it_signs_out()
    {
        await using var one = await StartAsync(sliding: false);
        await using var two = await StartAsync(sliding: false);
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        using var same = Same(browser, two);
        Assert.Equal(200, (await same.GetAsync("/me")).Status);
        _clock.Skip(TimeSpan.FromMinutes(6));
        await browser.GetAsync("/me", ("replace", $"{_user} reader"));

        _clock.Skip(TimeSpan.FromMinutes(5));

        Assert.Equal($"{_user} reader", (await same.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task Where_nothing_slides_nothing_is_renewed_and_nothing_is_read_again()
    {
        await using var app = await StartAsync(sliding: false);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        _clock.Skip(TimeSpan.FromMinutes(9));
        var calls = app.Calls;

        for (var i = 0; i < 5; i++)
        {
            Assert.Empty((await browser.GetAsync("/me")).SetCookie);
        }

        Assert.Equal(calls, app.Calls);
    }

    [Fact]
    public async Task An_expired_ticket_signs_out_and_its_session_goes_from_the_list()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        _clock.Skip(TimeSpan.FromMinutes(11));

        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        Assert.Empty(await app.Sessions.ListAsync(_user, null, Stop));
    }

    [Fact]
    public async Task A_replaced_principal_is_seen_by_the_other_process_as_soon_as_it_reads_again()
    {
        await using var one = await StartAsync(readAgainAfter: 2);
        await using var two = await StartAsync(readAgainAfter: 2);
        using var browser = one.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&role=reader");
        using var same = Same(browser, two);
        Assert.Equal($"{_user} reader", (await same.GetAsync("/me")).Text);

        Assert.Equal($"{_user} writer", (await browser.GetAsync("/me", ("replace", $"{_user} writer"))).Text);

        Assert.Equal($"{_user} writer", (await browser.GetAsync("/me")).Text);
        _clock.Skip(TimeSpan.FromMinutes(2));
        Assert.Equal($"{_user} writer", (await same.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task A_renewal_that_began_earlier_does_not_undo_a_replaced_principal()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&role=reader");
        _clock.Skip(TimeSpan.FromMinutes(6));
        var slow = browser.SendAsync("GET", "/slow", cookie: $"{CookieName}={browser.Cookies[CookieName]}");
        await app.Waiting.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop);

        await browser.GetAsync("/me", ("replace", $"{_user} writer"));
        app.Gate.SetResult();
        Assert.Equal("done", (await slow).Text);

        Assert.Equal($"{_user} writer", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task A_principal_of_another_user_is_not_put_into_the_session()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&role=reader");

        Assert.Equal(500, (await browser.GetAsync("/me", ("replace", "somebody-else admin"))).Status);

        Assert.Equal($"{_user} reader", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task A_renewal_that_Grid_does_not_answer_costs_nobody_the_page()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        _clock.Skip(TimeSpan.FromMinutes(6));
        app.BeforeUpdate = () => throw new HttpRequestException("away (test)");

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);

        app.BeforeUpdate = null;
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        _clock.Skip(TimeSpan.FromMinutes(5));
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task A_session_that_is_revoked_while_it_is_renewed_stays_revoked()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        _clock.Skip(TimeSpan.FromMinutes(6));
        app.BeforeUpdate = () => core.PostAsync("/session/revoke", new { sessionHandles = new[] { handle } });

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);

        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
        Assert.Null(await app.Sessions.FindAsync(handle, Stop));
    }

    [Fact]
    public async Task However_two_tabs_in_two_processes_renew_while_the_session_is_revoked_it_never_lives_again()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        var renewals = 0;
        for (var round = 0; round < 40; round++)
        {
            using var browser = one.NewBrowser();
            var handle = (await browser.PostAsync($"/sign-in?user={_user}-{round}&role=reader")).Text;
            TestBrowser[] tabs = [Same(browser, one), Same(browser, two), Same(browser, one), Same(browser, two)];
            foreach (var tab in tabs)
            {
                Assert.Equal(200, (await tab.GetAsync("/me")).Status);
            }

            _clock.Skip(TimeSpan.FromMinutes(6));
            var isRenewed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var isOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

            // The revocation comes at the first write or the third; the writes go on beside it or come after it. One tab replaces the
            // principal, so that it gives way to nobody.
            var (before, areLate) = (1 + (round % 2 * 2), round / 2 % 2 == 1);
            var writes = 0;
            one.BeforeUpdate = two.BeforeUpdate = async () =>
            {
                Interlocked.Increment(ref renewals);
                if (Interlocked.Increment(ref writes) >= before)
                {
                    isRenewed.TrySetResult();
                    await (areLate ? isOver.Task : Task.CompletedTask);
                }
            };
            var requests = tabs.Select((tab, i) => i == round % 4 ? tab.GetAsync("/me", ("replace", $"{_user}-{round} writer")) : tab.GetAsync("/me")).ToList();
            await Task.WhenAny(isRenewed.Task, Task.WhenAll(requests));
            await core.PostAsync("/session/revoke", new { sessionHandles = new[] { handle } });

            // Acknowledged: whoever asks from now on is refused, whatever the renewals that are under way do.
            foreach (var app in (CookieApp[])[one, two])
            {
                using var another = Same(browser, app);
                Assert.Equal(302, (await another.GetAsync("/me")).Status);
            }

            isOver.SetResult();
            await Task.WhenAll(requests);
            foreach (var tab in tabs)
            {
                Assert.Equal(302, (await tab.GetAsync("/me")).Status);
                tab.Dispose();
            }

            Assert.Null(await one.Sessions.FindAsync(handle, Stop));
            Assert.Empty(await one.Sessions.ListAsync($"{_user}-{round}", null, Stop));
        }

        Assert.InRange(renewals, 40, 160);
    }

    // Unless a test says otherwise, what is remembered is good for an hour: nothing but its own times makes a process read it again.
    private Task<CookieApp> StartAsync(bool sliding = true, int readAgainAfter = 60) => CookieApp.StartAsync(
        core.Url,
        _keys,
        _clock,
        cookie => (cookie.ExpireTimeSpan, cookie.SlidingExpiration) = (Life, sliding),
        store => store.ReadAgainAfter = TimeSpan.FromMinutes(readAgainAfter));

    private static TestBrowser Same(TestBrowser browser, CookieApp app)
    {
        var same = app.NewBrowser();
        same.Cookies[CookieName] = browser.Cookies[CookieName];
        return same;
    }
}
