using Grid.TestKit;
using Microsoft.Playwright;

namespace Grid.Adversary.Tests.Pages;

/// <summary>A developer's Grid without an API key, on loopback, and any page of the web in his browser.</summary>
public sealed class KeylessCoreTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-keyless-").FullName;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task No_page_removes_a_session_reads_a_token_or_becomes_a_holder()
    {
        await using var chromium = await Chromium.StartAsync();
        await using var sites = await Sites.StartAsync();
        using var grid = await GridProcess.ServeAsync(_folder, ("Grid__Front__FirstPage", "true"));
        var session = await grid.Http.CreateAsync("developer");
        using var front = grid.FrontHttp();
        int[] ports = [grid.Http.BaseAddress!.Port, front.BaseAddress!.Port];
        await using var person = await chromium.NewPersonAsync();
        var page = await person.NewPageAsync();

        // From its own site, by every name of this machine.
        await page.GotoAsync(sites.Page("attacker.test"));
        foreach (var host in (string[])["127.0.0.1", "localhost", "core.attacker.test"])
        {
            foreach (var port in ports)
            {
                Assert.Equal("refused", await AttackAsync(page, $"http://{host}:{port}"));
            }
        }

        // From a name that first was the attacker's machine and now is this one: to the browser it is the page's own origin.
        foreach (var port in ports)
        {
            var url = $"http://rebound.attacker.test:{port}";
            await page.GotoAsync(url + "/hello");
            Assert.Equal("refused", await AttackAsync(page, url));
            foreach (var (method, path) in ((string, string)[])
                [("GET", "/recipe/session/user?userId=developer"), ("GET", "/"), ("POST", "/first-page/session"), ("POST", "/first-page/end-all")])
            {
                var status = await page.EvaluateAsync<int>("async ([path, method]) => (await fetch(path, { method, headers: { rid: 'session' } })).status", new[] { path, method });
                Assert.True(status is 403 or 404 or 400 or 405, $"{method} {url}{path} was answered {status}");
            }
        }

        Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access));
        Assert.Contains(session.Handle, await grid.Http.GetStringAsync("/recipe/session/user?userId=developer"), StringComparison.Ordinal);

        // No holder came of it: a revocation waits for nobody.
        var (_, receipt) = await grid.Http.CallAsync("/session/revoke", $$"""{"sessionHandles":["{{session.Handle}}"]}""");
        Assert.Equal(0, receipt!["holders"]!["waitedOut"]!.GetValue<int>());
    }

    private static Task<string> AttackAsync(IPage page, string url) => page.EvaluateAsync<string>(
        """
        async url => {
          const got = [];
          for (const [path, body] of [
            ['/recipe/session/remove', '{"userId":"developer"}'],
            ['/session/revoke', '{"userId":"developer"}'],
            ['/recipe/session', '{"userId":"developer","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}'],
          ]) {
            await fetch(url + path, { method: 'POST', mode: 'no-cors', body }).catch(() => {});
            await fetch(url + path, { method: 'POST', body }).then(async (response) => response.ok && got.push(path, await response.text())).catch(() => {});
          }
          for (const path of ['/session/holder', '/appid-public/session/holder']) {
            await new Promise((resolve) => {
              const socket = new WebSocket(url.replace('http', 'ws') + path);
              socket.onopen = () => { got.push('socket ' + path); resolve(); };
              socket.onerror = resolve;
            });
          }
          return got.length === 0 ? 'refused' : got.join();
        }
        """,
        url);
}
