using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Tests;

/// <summary>Signing in and out of an application with <c>AddCookie().AddGridTicketStore()</c>.</summary>
public sealed class CookieSignInTests(CoreHost core)
{
    private const string CookieName = ".AspNetCore.Cookies";

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_cookie_holds_a_handle_and_the_ticket_is_in_the_session_where_only_the_application_can_read_it()
    {
        var keys = new EphemeralDataProtectionProvider();
        await using var app = await CookieApp.StartAsync(core.Url, keys);
        using var browser = app.NewBrowser();

        var handle = (await browser.PostAsync($"/sign-in?user={_user}&role=secret-role&fill=10000")).Text;

        Assert.Equal($"{_user} secret-role", (await browser.GetAsync("/me")).Text);
        Assert.Equal(handle, (await browser.GetAsync("/handle")).Text);
        Assert.InRange(browser.Cookies[CookieName].Length, 100, 1000);
        var stored = (await app.Sessions.FindAsync(handle, Stop))!;
        Assert.Equal((_user, "public", "{}"), (stored.UserId, stored.TenantId, stored.PayloadJson));
        Assert.DoesNotContain("secret-role", stored.DataJson, StringComparison.Ordinal);
        Assert.StartsWith("""{"authenticationTicket":""", stored.DataJson, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_no_session_is_sent_to_the_login_page_and_back()
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();

        var refused = await browser.GetAsync("/me?a=b");

        Assert.Equal((302, $"{app.Url}login?ReturnUrl=%2Fme%3Fa%3Db"), (refused.Status, refused.Header("Location")));
        Assert.Equal("nobody", (await browser.GetAsync("/open")).Text);
        Assert.Equal("", (await browser.GetAsync("/handle")).Text);
        Assert.Equal(0, app.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_cookie_outlives_the_browser_if_the_sign_in_is_persistent(bool persistent)
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();

        var answer = await browser.PostAsync($"/sign-in?user={_user}&persistent={persistent}");

        Assert.Equal(persistent, Assert.Single(answer.SetCookie).Contains("expires=", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_sign_out_ends_the_session_and_clears_the_cookie()
    {
        var app = await core.CreateAppAsync();
        await using var shop = await CookieApp.StartAsync(new Uri(core.Url, app));
        using var browser = shop.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var cookie = $"{CookieName}={browser.Cookies[CookieName]}";

        Assert.Equal(200, (await browser.PostAsync("/sign-out")).Status);

        Assert.Equal("", browser.Cookies[CookieName]);
        Assert.Null(await shop.Sessions.FindAsync(handle, Stop));
        Assert.Equal(302, (await browser.SendAsync("GET", "/me", cookie: cookie)).Status);
        Assert.Equal(["SignedOut"], Reasons(app));
    }

    [Theory]
    [InlineData("same")]
    [InlineData("other")]
    public async Task A_sign_in_over_a_session_makes_a_new_one_and_ends_the_former_so_that_a_planted_cookie_is_worth_nothing(string second)
    {
        var app = await core.CreateAppAsync();
        await using var shop = await CookieApp.StartAsync(new Uri(core.Url, app));
        using var browser = shop.NewBrowser();
        var former = (await browser.PostAsync($"/sign-in?user={_user}-same")).Text;
        var planted = $"{CookieName}={browser.Cookies[CookieName]}";

        var handle = (await browser.PostAsync($"/sign-in?user={_user}-{second}&role=admin")).Text;

        Assert.NotEqual(former, handle);
        Assert.Equal($"{_user}-{second} admin", (await browser.GetAsync("/me")).Text);
        Assert.Equal(302, (await browser.SendAsync("GET", "/me", cookie: planted)).Status);
        Assert.Equal([handle], await shop.Sessions.ListAsync($"{_user}-{second}", null, Stop));
        Assert.Null(await shop.Sessions.FindAsync(former, Stop));
        Assert.Equal(["Replaced"], Reasons(app));
    }

    [Fact]
    public async Task A_sign_in_over_a_session_whose_tenant_was_removed_makes_a_session()
    {
        var prefix = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{prefix}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var app = await CookieApp.StartAsync(new Uri(core.Url, prefix), store: options => options.TenantIdClaimType = "tid");
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&tenant=t1");
        Assert.Equal(200, (await core.PostAsync($"{prefix}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Status);

        var answer = await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(200, answer.Status);
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        Assert.Equal([answer.Text], await app.Sessions.ListAsync(_user, null, Stop));
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable, 503)]
    [InlineData(HttpStatusCode.Forbidden, 500)]
    public async Task A_sign_in_that_cannot_end_the_former_session_leaves_none_of_its_own_behind(HttpStatusCode refusal, int status)
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();
        var former = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        app.InsteadOfRevocation = body => body.Contains(former, StringComparison.Ordinal) ? new HttpResponseMessage(refusal) : null;

        var answer = await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(status, answer.Status);
        Assert.Empty(answer.SetCookie);
        Assert.Equal([former], await app.Sessions.ListAsync(_user, null, Stop));
        Assert.Equal($"{_user} ", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task Two_sign_ins_and_a_sign_out_in_one_request_leave_no_session_behind()
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();
        var first = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        var handles = (await browser.PostAsync($"/sign-in-twice-and-out?user={_user}")).Text;

        Assert.DoesNotContain(first, handles, StringComparison.Ordinal);
        Assert.Equal(2, System.Text.Json.Nodes.JsonNode.Parse(handles)!.AsArray().Count);
        Assert.Empty(await app.Sessions.ListAsync(_user, null, Stop));
        Assert.Equal(302, (await browser.GetAsync("/me")).Status);
    }

    [Theory]
    [InlineData("/sign-in?role=admin")]
    [InlineData("/sign-in?user=")]
    [InlineData("/sign-in?user=129")]
    [InlineData("/sign-in?user=u&fill=800000")]
    public async Task What_Grid_cannot_store_is_refused_before_the_former_session_is_touched(string path)
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var calls = app.Calls;

        var refused = await browser.PostAsync(path.Replace("129", new string('u', 129), StringComparison.Ordinal));

        Assert.Equal((500, 0), (refused.Status, app.Calls - calls));
        Assert.Empty(refused.SetCookie);
        Assert.Equal($"{_user} ", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task A_user_id_that_cannot_be_stored_is_the_requests_fault_and_the_answer_names_the_claim()
    {
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();
        var calls = app.Calls;

        var refused = await browser.PostAsync("/sign-in?user=a%00b");

        Assert.Equal((400, 0), (refused.Status, app.Calls - calls));
        Assert.Contains("nameidentifier', which is the session's user id, has the character U+0000 in it", refused.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(refused.SetCookie);
    }

    [Fact]
    public async Task The_longest_user_id_and_a_large_ticket_are_stored()
    {
        var user = string.Concat(Enumerable.Repeat("é", 128));
        await using var app = await CookieApp.StartAsync(core.Url);
        using var browser = app.NewBrowser();

        Assert.Equal(200, (await browser.PostAsync($"/sign-in?user={Uri.EscapeDataString(user)}&fill=700000")).Status);

        Assert.Equal($"{user} ", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public async Task User_id_and_tenant_come_from_the_claims_that_the_options_name()
    {
        var prefix = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{prefix}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var app = await CookieApp.StartAsync(new Uri(core.Url, prefix), store: options =>
        {
            options.UserIdClaimType = System.Security.Claims.ClaimTypes.Role;
            options.TenantIdClaimType = "tid";
        });
        using var browser = app.NewBrowser();

        var handle = (await browser.PostAsync("/sign-in?user=a&role=number-7&tenant=t1")).Text;

        var stored = (await app.Sessions.FindAsync(handle, Stop))!;
        Assert.Equal(("number-7", "t1"), (stored.UserId, stored.TenantId));
        Assert.Equal("a number-7", (await browser.GetAsync("/me")).Text);
    }

    [Fact]
    public void The_scheme_is_found_where_there_is_one_and_asked_for_where_there_are_several()
    {
        var none = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddAuthentication().AddGridTicketStore());
        var several = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddAuthentication().AddCookie("shop").AddCookie("back-office").AddGridTicketStore());
        var unknown = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddAuthentication().AddCookie("shop").AddGridTicketStore("other"));
        var twice = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddAuthentication().AddCookie("shop").AddGridTicketStore().AddGridTicketStore());

        Assert.Contains("AddCookie()", none.Message, StringComparison.Ordinal);
        Assert.Contains("""shop, back-office""", several.Message, StringComparison.Ordinal);
        Assert.Contains("""AddCookie("other")""", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("before", twice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_cannot_work_and_a_second_store_are_refused()
    {
        var refusal = Assert.Throws<OptionsValidationException>(() => Build(services => services.AddAuthentication().AddCookie().AddGridTicketStore(options =>
        {
            (options.UserIdClaimType, options.TenantId, options.ReadAgainAfter, options.MemoryLimit) = ("", "", TimeSpan.FromHours(2), -1);
        })).GetRequiredService<IOptionsMonitor<GridTicketStoreOptions>>().Get("Cookies"));
        var second = Assert.Throws<InvalidOperationException>(() => Build(services => services.AddAuthentication().AddCookie(options => options.SessionStore = new OtherStore()).AddGridTicketStore())
            .GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get("Cookies"));

        Assert.Equal(4, refusal.Failures.Count());
        Assert.Contains(nameof(OtherStore), second.Message, StringComparison.Ordinal);
    }

    // The first is that of the app's making.
    private IEnumerable<string> Reasons(string prefix) => core.Store.Revocations(prefix["/appid-".Length..]).Skip(1).Select(revoked => revoked.Reason.ToString());

    private static ServiceProvider Build(Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        add(services);
        return services.BuildServiceProvider();
    }

    private sealed class OtherStore : ITicketStore
    {
        public Task<string> StoreAsync(AuthenticationTicket ticket) => throw new NotSupportedException();

        public Task RenewAsync(string key, AuthenticationTicket ticket) => throw new NotSupportedException();

        public Task<AuthenticationTicket?> RetrieveAsync(string key) => throw new NotSupportedException();

        public Task RemoveAsync(string key) => throw new NotSupportedException();
    }
}
