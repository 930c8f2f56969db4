extern alias embedded;
extern alias shop;

using System.Net;
using Grid.Samples.RazorPages.Pages;

namespace Grid.Testing.Tests;

/// <summary>Applications connected to a real Grid in the test's process.</summary>
public sealed class ConnectedApplicationTests(SharedHost shared)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_application_with_AddGrid_hears_of_each_revocation()
    {
        await using var application = Applications.Of<shop::Program>();
        await using var factory = application.WithGrid(shared.Grid);
        using var client = factory.CreateClient().WithGridSession(_user, session => session.WithRoles("admin"));
        Assert.Equal((_user, "in"), (await client.GetStringAsync("/me", Stop), await client.GetStringAsync("/admin", Stop)));

        var ended = await shared.Grid.Sessions.RevokeUserAsync(_user, null, null, Stop);

        // The silo and the application.
        Assert.Equal((1, 0), (ended.Handles.Count, ended.Receipt.Waited));
        Assert.True(ended.Receipt.Confirmed >= 2);
        Assert.Equal(HttpStatusCode.Unauthorized, await ApplicationTests.StatusAsync(client, "/me"));
    }

    [Fact]
    public async Task Its_clock_is_the_applications_and_a_browser_refreshes_by_it()
    {
        await using var grid = await GridTestHost.StartAsync(cancellationToken: Stop);
        await using var application = Applications.Of<shop::Program>();
        await using var factory = application.WithGrid(grid);
        using var client = factory.CreateClient().WithGridSession(_user);
        using var browser = factory.CreateClient();
        browser.DefaultRequestHeaders.Add("st-auth-mode", "cookie");
        using var signedIn = await browser.PostAsync($"/sign-in/{_user}", null, Stop);
        Assert.Equal([_user, _user], [await client.GetStringAsync("/me", Stop), await browser.GetStringAsync("/me", Stop)]);

        grid.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(HttpStatusCode.Unauthorized, await ApplicationTests.StatusAsync(browser, "/me"));
        using var refreshed = await browser.PostAsync("/auth/session/refresh", null, Stop);
        Assert.Equal([_user, _user], [await client.GetStringAsync("/me", Stop), await browser.GetStringAsync("/me", Stop)]);
        Assert.Equal(2, (await grid.Sessions.ListAsync(_user, null, Stop)).Count);

        grid.Clock.Advance(TimeSpan.FromDays(101));
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized], [await ApplicationTests.StatusAsync(client, "/me"), await ApplicationTests.StatusAsync(browser, "/me")]);
    }

    [Fact]
    public async Task Pages_with_cookies_and_a_silo_of_their_own_are_connected_as_well()
    {
        await using var application = Applications.Of<IndexModel>();
        await using var factory = application.WithGrid(shared.Grid);
        using var client = factory.CreateClient().WithGridSession(_user);
        Assert.Contains($"{_user} has 1 sessions", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);

        await shared.Grid.Sessions.RevokeUserAsync(_user, null, null, Stop);

        Assert.Contains("Who are you?", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_in_the_application_is_left_out_and_its_health_check_with_it()
    {
        await using var application = Applications.Of<embedded::Program>();
        await using var factory = application.WithGridSessions();
        using var client = factory.CreateClient().WithGridSession(_user);

        Assert.Equal(_user, await client.GetStringAsync("/me", Stop));
        Assert.Equal(HttpStatusCode.OK, await ApplicationTests.StatusAsync(client, "/health"));
        Assert.False(File.Exists(Path.Combine("data", "grid.db")));
    }
}
