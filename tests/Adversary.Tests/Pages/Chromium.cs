using Microsoft.Playwright;

namespace Grid.Adversary.Tests.Pages;

/// <summary>Debian's Chromium, in which every name below <c>.test</c> leads to this machine: names make sites, as they do outside.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Path = "/usr/bin/chromium";

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<Chromium> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Path), "Chromium is not on this machine");
        var playwright = await Playwright.CreateAsync();
        return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Path,
            Args =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP *.test 127.0.0.1",
            ],
        }));
    }

    /// <summary>A person's browser: its own cookies.</summary>
    public Task<IBrowserContext> NewPersonAsync() => _browser.NewContextAsync();

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
    }
}
