using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary><c>POST /auth/signout</c>.</summary>
public sealed class SignOutWireTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    public async Task It_ends_the_session_that_it_came_with_and_no_other(string mode)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser(mode);
        using var other = app.NewBrowser(mode);
        await other.PostAsync($"/sign-in?user={_user}");
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        var answer = await browser.PostAsync("/auth/signout");

        Assert.Equal((200, """{"status":"OK"}"""), (answer.Status, answer.Text));
        Assert.Equal("remove", answer.Header("front-token"));
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word);
        Assert.Equal(200, (await other.GetAsync("/me")).Status);
        if (mode == "cookie")
        {
            Assert.Equal("cleared; Path=/; Expires=1970; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sAccessToken", default));
            Assert.Equal("cleared; Path=/auth/session/refresh; Expires=1970; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sRefreshToken", default));
        }
        else
        {
            Assert.Equal(("", ""), (answer.Header("st-access-token"), answer.Header("st-refresh-token")));
        }
    }

    [Fact]
    public async Task Without_a_session_it_is_still_done_and_clears()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        var never = await browser.PostAsync("/auth/signout");
        Assert.Empty(never.SetCookie);
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } });
        var gone = await browser.PostAsync("/auth/signout");

        Assert.All((FrontAnswer[])[never, gone], answer =>
        {
            Assert.Equal((200, """{"status":"OK"}""", "remove"), (answer.Status, answer.Text, answer.Header("front-token")));
        });
        Assert.StartsWith("cleared; ", gone.Cookie("sAccessToken", default), StringComparison.Ordinal);
        Assert.StartsWith("cleared; ", gone.Cookie("sRefreshToken", default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_access_token_is_sent_to_refresh_first()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        core.Clock.Skip(TimeSpan.FromMinutes(61));

        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.PostAsync("/auth/signout")));
        Assert.Equal("OK", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word);
        await browser.RefreshAsync();
        Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word);
    }

    [Theory]
    [InlineData(null, 200)]
    [InlineData("1.16,1.17", 200)]
    [InlineData("4.2", 200)]
    [InlineData("1.16", 400)]
    [InlineData("9.0<b>", 400)]
    public async Task Versions_are_negotiated(string? version, int expected)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        var answer = version is null ? await browser.PostAsync("/auth/signout") : await browser.PostAsync("/auth/signout", null, ("fdi-version", version));

        Assert.Equal(expected, answer.Status);
        Assert.DoesNotContain("<b>", answer.Text, StringComparison.Ordinal);
    }
}
