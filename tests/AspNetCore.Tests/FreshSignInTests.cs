using Microsoft.AspNetCore.Builder;

namespace Grid.AspNetCore.Tests;

/// <summary>Endpoints for which a sign-in must be recent.</summary>
public sealed class FreshSignInTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task An_old_sign_in_is_refused_with_the_age_however_often_it_was_refreshed_and_a_new_one_is_let_in()
    {
        await using var app = await StartAsync(app => app.MapGet("/fresh", () => "in").RequireAuthenticatedWithin(TimeSpan.FromMinutes(10)));
        using var browser = app.NewBrowser();
        Assert.Equal(401, (await browser.GetAsync("/fresh")).Status);
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await browser.GetAsync("/fresh")).Status);

        core.Clock.Skip(TimeSpan.FromMinutes(11));
        var refused = await browser.GetAsync("/fresh");
        Assert.Equal((403, "invalid claim"), (refused.Status, refused.Json["message"]!.GetValue<string>()));
        var error = Assert.Single(refused.Json["claimValidationErrors"]!.AsArray())!;
        Assert.Equal(("authenticated-within", "expired", 600.0), (error["id"]!.GetValue<string>(), error["reason"]!["message"]!.GetValue<string>(), error["reason"]!["maxAgeInSeconds"]!.GetValue<double>()));
        Assert.InRange(error["reason"]!["ageInSeconds"]!.GetValue<double>(), 660, 1_200);

        Assert.Equal(200, (await browser.RefreshAsync(("rid", "session"))).Status);
        Assert.Equal((403, 200), ((await browser.GetAsync("/fresh")).Status, (await browser.GetAsync("/me")).Status));

        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await browser.GetAsync("/fresh")).Status);
    }

    [Fact]
    public async Task The_shortest_time_of_an_endpoint_and_its_groups_holds_beside_everything_else()
    {
        await using var app = await StartAsync(app =>
        {
            var outer = app.MapGroup("/outer").RequireAuthenticatedWithin(TimeSpan.FromMinutes(10));
            outer.MapGet("/longer", () => "in").RequireAuthenticatedWithin(TimeSpan.FromHours(1));
            outer.MapGet("/shorter", () => "in").RequireAuthenticatedWithin(TimeSpan.FromMinutes(1)).WithGrid(new GridEndpoint { ClaimValidators = _ => [] });
            outer.MapGet("/claims", () => "in").RequireGridClaims(ClientApp.EmailVerified.IsTrue());
            outer.MapGet("/admin", () => "in").RequireAuthorization("admin");
        });
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal("200 200 403 email-verified 403", $"{await StatusAsync("longer")} {await StatusAsync("shorter")} {await StatusAsync("claims")} {await StatusAsync("admin")}");

        core.Clock.Skip(TimeSpan.FromMinutes(2));
        Assert.Equal("200 403 authenticated-within", $"{await StatusAsync("longer")} {await StatusAsync("shorter")}");

        core.Clock.Skip(TimeSpan.FromMinutes(9));
        Assert.Equal(
            "403 authenticated-within 403 authenticated-within 403 authenticated-within email-verified",
            $"{await StatusAsync("longer")} {await StatusAsync("shorter")} {await StatusAsync("claims")}");

        async Task<string> StatusAsync(string path)
        {
            var answer = await browser.GetAsync("/outer/" + path);
            var problems = answer.Status == 403 && answer.Json["claimValidationErrors"] is { } errors ? errors.AsArray().Select(error => " " + error!["id"]!.GetValue<string>()).Order() : Enumerable.Empty<string>();
            return $"{answer.Status}{string.Concat(problems)}";
        }
    }

    [Fact]
    public async Task The_time_of_sign_in_is_read_without_a_call_and_is_the_store_s()
    {
        await using var app = await StartAsync(_ => { });
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        var stored = (await app.Sessions.FindAsync(handle, TestContext.Current.CancellationToken))!.CreatedAt;

        Assert.InRange(stored - Authentication.SignInAge.ReadCreation(handle)!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.Null(Authentication.SignInAge.ReadCreation(Guid.NewGuid().ToString()));
        Assert.Null(Authentication.SignInAge.ReadCreation("7"));
    }

    [Fact]
    public async Task A_user_id_that_cannot_be_stored_is_the_requests_fault_and_the_answer_names_it()
    {
        await using var app = await StartAsync(_ => { });
        using var browser = app.NewBrowser();

        var refused = await browser.PostAsync("/sign-in?user=a%00b");

        Assert.Equal((400, "userId has the character U+0000 in it, which cannot be stored."), (refused.Status, refused.Json["message"]!.GetValue<string>()));
        Assert.Empty(refused.SetCookie);
    }

    [Fact]
    public void A_user_id_of_whole_characters_is_taken_as_it_is()
    {
        foreach (var userId in (string[])["", "anna", " \ufffd\t", "\ud83d\ude00"])
        {
            Assert.Same(userId, Authentication.SignInName.Require(userId, "userId"));
        }

        foreach (var userId in (string[])["\ud83d", "\ude00\ud83d", "a\ufffd\ud83db", "\0"])
        {
            Assert.Throws<Authentication.UnusableNameException>(() => Authentication.SignInName.Require(userId, "userId"));
        }
    }

    [Theory]
    [InlineData(-6, "in the future")]
    [InlineData(-5, null)]
    [InlineData(0, null)]
    [InlineData(60, null)]
    [InlineData(61, "expired")]
    public void A_sign_in_is_recent_if_it_was_not_long_ago_and_not_further_ahead_than_clocks_are_apart(int ago, string? problem)
    {
        var now = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var found = new Authentication.SignInAge(TimeSpan.FromMinutes(1)).Validate(now - TimeSpan.FromSeconds(ago), now);
        Assert.Equal(problem, found?.Reason["message"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_time_that_nobody_could_keep_is_refused(int seconds)
    {
        await using var app = await StartAsync(app =>
            Assert.Throws<ArgumentOutOfRangeException>(() => app.MapGet("/x", () => "in").RequireAuthenticatedWithin(TimeSpan.FromSeconds(seconds))));
    }

    private Task<ClientApp> StartAsync(Action<WebApplication> map) => ClientApp.StartAsync(core, use: app =>
    {
        app.MapGrid();
        map(app);
    });
}
