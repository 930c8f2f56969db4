using System.Net;
using System.Text.RegularExpressions;
using Grid.Samples.RazorPages.Pages;

namespace Grid.Testing.Tests;

/// <summary>Pages over <c>AddCookie().AddGridTicketStore()</c> under test, whose silo in the application is left out.</summary>
public sealed partial class CookieApplicationTests : IDisposable
{
    private readonly WebApplicationFactory<IndexModel> _application;
    private readonly WebApplicationFactory<IndexModel> _factory;

    public CookieApplicationTests()
    {
        _application = Applications.Of<IndexModel>();
        _factory = _application.WithGridSessions();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _factory.Dispose();
        _application.Dispose();
    }

    [Fact]
    public async Task A_client_is_signed_in_by_the_cookie_handler_until_the_test_revokes_its_session()
    {
        using var client = _factory.CreateClient().WithGridSession("alice");
        using var other = _factory.CreateClient().WithGridSession("alice");
        Assert.Contains("alice has 1 sessions", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);
        Assert.Contains("alice has 2 sessions", await other.GetStringAsync("/", Stop), StringComparison.Ordinal);

        _factory.GetGridSessions().Revoke("alice");

        Assert.Contains("Who are you?", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);
        Assert.Contains("Who are you?", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_signs_out_elsewhere_and_itself_by_the_pages_own_buttons()
    {
        using var client = _factory.CreateClient().WithGridSession("alice");
        using var other = _factory.CreateClient().WithGridSession("alice");
        await other.GetStringAsync("/", Stop);

        var page = await PressAsync(client, await client.GetStringAsync("/", Stop), "/?handler=Elsewhere");
        Assert.Contains("alice has 1 sessions", page, StringComparison.Ordinal);
        Assert.Contains("Who are you?", await other.GetStringAsync("/", Stop), StringComparison.Ordinal);

        Assert.Contains("Who are you?", await PressAsync(client, page, "/?handler=SignOut"), StringComparison.Ordinal);
        Assert.Contains("Who are you?", await client.GetStringAsync("/", Stop), StringComparison.Ordinal);
        Assert.Empty(await _factory.GetGridSessions().ListAsync("alice", null, Stop));
    }

    [Fact]
    public async Task A_client_without_a_session_sees_the_sign_in_page()
    {
        using var client = _factory.CreateClient(new WebApplicationFactoryClientOptions { AllowAutoRedirect = false });

        Assert.Equal(HttpStatusCode.Redirect, await ApplicationTests.StatusAsync(client, "/"));
    }

    private static async Task<string> PressAsync(HttpClient browser, string page, string form)
    {
        using var fields = new FormUrlEncodedContent([KeyValuePair.Create("__RequestVerificationToken", AntiforgeryToken().Match(page).Groups[1].Value)]);
        using var answer = await browser.PostAsync(form, fields, Stop);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Stop);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]* value=\"([^\"]+)\"")]
    private static partial Regex AntiforgeryToken();
}
