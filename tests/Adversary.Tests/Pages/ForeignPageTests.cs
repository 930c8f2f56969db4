using Grid.TestKit;
using Microsoft.Playwright;

namespace Grid.Adversary.Tests.Pages;

/// <summary>A page that is not ours, in a real browser that holds a session: it makes the browser send what it likes, with the cookies that the browser adds.</summary>
public sealed class ForeignPageTests : IAsyncLifetime
{
    private const string Key = "installation-key-0123456789";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-pages-").FullName;
    private Chromium _chromium = null!;
    private Sites _sites = null!;
    private GridProcess _grid = null!;
    private string _api = "";

    public async ValueTask InitializeAsync()
    {
        _chromium = await Chromium.StartAsync();
        _sites = await Sites.StartAsync();
        _grid = await GridProcess.ServeAsync(
            _folder, ("Grid__Core__ApiKeys", Key), ("Grid__Front__ApiDomain", "http://api.victim.test"), ("Grid__Front__WebsiteDomains", $"http://app.victim.test:{_sites.Port}"));
        using var front = _grid.FrontHttp();
        _api = $"http://api.victim.test:{front.BaseAddress!.Port}";
    }

    public async ValueTask DisposeAsync()
    {
        _grid?.Dispose();
        if (_sites is not null)
        {
            await _sites.DisposeAsync();
        }

        if (_chromium is not null)
        {
            await _chromium.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Another site's, whose requests bring no Lax cookie; and a sibling's, whose requests bring them all.</summary>
    [Theory]
    [InlineData("attacker.test")]
    [InlineData("blog.victim.test")]
    public async Task It_signs_nobody_out_and_rotates_nothing(string host)
    {
        await using var person = await _chromium.NewPersonAsync();
        var app = await SignInAsync(person);
        var before = await CookiesAsync(person);
        foreach (var path in (string[])["/auth/signout", "/auth/session/refresh", "/auth/t1/signout", "/auth/session/ticket"])
        {
            // A form that takes the place of the page; one in a frame; a request that asks for no permission; one that asks; a beacon.
            var page = await person.NewPageAsync();
            await page.GotoAsync(_sites.Page(host));
            await page.EvaluateAsync(
                "url => { const form = document.createElement('form'); form.method = 'POST'; form.action = url; document.body.append(form); form.submit(); }", _api + path);
            await Assertions.Expect(page.Locator("body")).ToContainTextAsync("\"message\":", new() { Timeout = 30_000 });
            Assert.Equal(_api + path, page.Url);

            await page.GotoAsync(_sites.Page(host));
            await page.EvaluateAsync(
                """
                async url => {
                  const frame = document.createElement('iframe');
                  frame.name = 'inner';
                  document.body.append(frame);
                  const form = document.createElement('form');
                  Object.assign(form, { method: 'POST', action: url, target: 'inner' });
                  document.body.append(form);
                  const done = new Promise((resolve) => (frame.onload = resolve));
                  form.submit();
                  await done;
                  await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }).catch(() => {});
                  await fetch(url, { method: 'POST', mode: 'cors', credentials: 'include' }).catch(() => {});
                  await fetch(url, { method: 'POST', mode: 'cors', credentials: 'include', headers: { rid: 'session' } }).catch(() => {});
                  navigator.sendBeacon(url, '{}');
                  const sandbox = document.createElement('iframe');
                  sandbox.sandbox = 'allow-scripts allow-forms';
                  const loads = new Promise((resolve) => { let n = 0; sandbox.onload = () => ++n === 2 && resolve(); setTimeout(resolve, 3000); });
                  sandbox.srcdoc = `<form method=POST action="${url}"></form><script>document.forms[0].submit()</script>`;
                  document.body.append(sandbox);
                  await loads;
                }
                """,
                _api + path);
            await page.CloseAsync();
        }

        Assert.Equal(before, await CookiesAsync(person));
        Assert.Equal(200, await AskAsync(app, "GET", "/auth/verify"));
        Assert.Equal(200, await AskAsync(app, "POST", "/auth/session/refresh"));
        Assert.Equal(200, await AskAsync(app, "GET", "/auth/verify"));

        // Our own page can.
        Assert.Equal(200, await AskAsync(app, "POST", "/auth/signout"));
        Assert.Equal(401, await AskAsync(app, "GET", "/auth/verify"));
    }

    [Fact]
    public async Task It_hears_nothing_of_a_session()
    {
        await using var person = await _chromium.NewPersonAsync();
        await SignInAsync(person);
        var page = await person.NewPageAsync();
        await page.GotoAsync(_sites.Page("blog.victim.test"));
        var read = await page.EvaluateAsync<string>(
            """
            async api => {
              const texts = [];
              for (const path of ['/auth/session/events', '/auth/verify']) {
                texts.push(await fetch(api + path, { credentials: 'include' }).then((response) => response.text()).catch(() => 'nothing'));
              }
              return texts.join();
            }
            """,
            _api);

        Assert.Equal("nothing,nothing", read);
    }

    [Fact]
    public async Task Cookies_that_a_sibling_tosses_lock_nobody_out_and_are_gone_with_the_next_refresh()
    {
        await using var person = await _chromium.NewPersonAsync();
        var app = await SignInAsync(person);
        var sibling = await person.NewPageAsync();
        await sibling.GotoAsync(_sites.Page("blog.victim.test"));
        await sibling.EvaluateAsync(
            """
            () => {
              for (const name of ['sAccessToken', 'sRefreshToken', 'sIdRefreshToken']) {
                for (const path of ['/', '/auth', '/auth/session', '/auth/session/refresh', '/auth/verify']) {
                  document.cookie = `${name}=tossed; Domain=victim.test; Path=${path}`;
                }
              }
            }
            """);

        Assert.Equal(200, await AskAsync(app, "GET", "/auth/verify"));
        Assert.Equal(200, await AskAsync(app, "POST", "/auth/session/refresh"));
        Assert.Equal(200, await AskAsync(app, "GET", "/auth/verify"));
        Assert.Equal(200, await AskAsync(app, "POST", "/auth/session/refresh"));

        // A refresh is not told of this one, and it disturbs nothing.
        var left = (await person.CookiesAsync()).Where(cookie => cookie.Value == "tossed").Select(cookie => $"{cookie.Name} {cookie.Path}").Order();
        Assert.Equal(["sIdRefreshToken /auth/verify"], left);
        Assert.Equal(200, await AskAsync(app, "POST", "/auth/signout"));
    }

    [Fact]
    public async Task Another_s_session_that_a_sibling_tosses_becomes_nobody_s()
    {
        await using var person = await _chromium.NewPersonAsync();
        await using var attacker = await _chromium.NewPersonAsync();
        var app = await SignInAsync(person);
        await SignInAsync(attacker, "attacker");
        var own = (await attacker.CookiesAsync()).ToDictionary(cookie => cookie.Name, cookie => cookie.Value);
        var sibling = await person.NewPageAsync();
        await sibling.GotoAsync(_sites.Page("blog.victim.test"));
        await sibling.EvaluateAsync(
            """
            ([access, refresh]) => {
              document.cookie = `sAccessToken=${access}; Domain=victim.test; Path=/auth`;
              document.cookie = `sRefreshToken=${refresh}; Domain=victim.test; Path=/auth/session/refresh`;
            }
            """,
            new[] { own["sAccessToken"], own["sRefreshToken"] });

        // Neither one's own nor the other's: signed out, and free of both.
        Assert.Equal(401, await AskAsync(app, "GET", "/auth/verify"));
        Assert.Equal(401, await AskAsync(app, "POST", "/auth/session/refresh"));
        Assert.Empty(await person.CookiesAsync());

        var again = await SignInAsync(person);
        Assert.Equal(200, await AskAsync(again, "GET", "/auth/verify"));
        Assert.Equal(200, await AskAsync(again, "POST", "/auth/session/refresh"));
    }

    private static async Task<string[]> CookiesAsync(IBrowserContext person) =>
        [.. (await person.CookiesAsync()).Select(cookie => $"{cookie.Name}={cookie.Value} {cookie.Domain} {cookie.Path}").Order()];

    private async Task<IPage> SignInAsync(IBrowserContext person, string user = "victim")
    {
        var (_, ordered) = await _grid.Http.CallAsync("/session/ticket", $$"""{"userId":"{{user}}"}""", Key);
        var page = await person.NewPageAsync();
        await page.GotoAsync(_sites.Page("app.victim.test"));
        Assert.Equal(200, await page.EvaluateAsync<int>(
            """
            async ([api, ticket]) => (await fetch(`${api}/auth/session/ticket`, {
              method: 'POST', credentials: 'include', headers: { rid: 'session', 'st-auth-mode': 'cookie', 'content-type': 'application/json' }, body: JSON.stringify({ ticket }),
            })).status
            """,
            new[] { _api, $"{ordered!["ticket"]}" }));
        Assert.Equal(["sAccessToken", "sRefreshToken"], (await person.CookiesAsync()).Select(cookie => cookie.Name).Distinct().Order());
        return page;
    }

    private Task<int> AskAsync(IPage page, string method, string path) => page.EvaluateAsync<int>(
        "async ([url, method]) => (await fetch(url, { method, credentials: 'include', headers: { rid: 'session' } })).status", new[] { _api + path, method });
}
