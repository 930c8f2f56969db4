namespace Grid.AspNetCore.Tests;

/// <summary>An application behind https whose <c>ApiDomain</c> was left at this machine's.</summary>
public sealed class PublicAddressTests(CoreHost core)
{
    private const int WrongAddress = 4005;

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Proto", "https, http")]
    [InlineData("Forwarded", "for=192.0.2.1;proto=\"https\"")]
    [InlineData("Front-End-Https", "on")]
    public async Task Behind_https_the_first_request_names_the_setting_once_and_cookies_are_Secure(string name, string value)
    {
        await using var app = await StartAsync("http://localhost:8080");
        using var browser = app.NewBrowser();
        await browser.GetAsync("/open");
        Assert.Equal(0, app.Log.Count(WrongAddress));

        await browser.GetAsync("/open", (name, value));
        var answer = await browser.PostAsync($"/sign-in?user={_user}", null, (name, value));

        Assert.Contains("ApiDomain", Assert.Single(app.Log.Lines, line => line.Id == WrongAddress).Text, StringComparison.Ordinal);
        Assert.Contains("; Secure; ", answer.Cookie("sAccessToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        Assert.Contains("; Secure; ", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        Assert.Contains("; Secure; ", (await browser.PostAsync("/sign-out", null, (name, value))).Cookie("sAccessToken", default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_https_address_of_this_machine_is_wrong_for_a_browser_that_names_another_host()
    {
        await using var app = await StartAsync("https://localhost:5001");
        using var browser = app.NewBrowser();

        await browser.GetAsync("/open", ("X-Forwarded-Proto", "https"), ("Host", "localhost:5001"));
        Assert.Equal(0, app.Log.Count(WrongAddress));
        await browser.GetAsync("/open", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"));
        Assert.Equal(1, app.Log.Count(WrongAddress));
    }

    [Fact]
    public async Task Plain_http_and_development_and_a_right_address_are_left_alone()
    {
        await using var plain = await StartAsync("http://localhost:8080");
        await using var development = await StartAsync("http://localhost:8080", "Development");
        await using var right = await StartAsync("https://shop.example");
        using var browser = plain.NewBrowser();

        Assert.DoesNotContain("Secure", (await browser.PostAsync($"/sign-in?user={_user}")).Cookie("sAccessToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        await development.NewBrowser().GetAsync("/open", ("X-Forwarded-Proto", "https"));
        await right.NewBrowser().GetAsync("/open", ("X-Forwarded-Proto", "https"), ("Host", "other.example"));

        Assert.Equal((0, 0, 0), (plain.Log.Count(WrongAddress), development.Log.Count(WrongAddress), right.Log.Count(WrongAddress)));
    }

    private Task<ClientApp> StartAsync(string apiDomain, string environment = "Production") => ClientApp.StartAsync(
        core,
        options =>
        {
            options.ApiDomain = apiDomain;
            options.WebsiteDomains.Clear();
        },
        environment);
}
