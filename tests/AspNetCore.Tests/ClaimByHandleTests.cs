using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Tests;

/// <summary>Claims and payloads that a back end changes by the session's handle, beside the session's own requests.</summary>
public sealed class ClaimByHandleTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_claim_that_was_set_by_handle_counts_from_the_next_token_on_and_the_issuer_stays()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}&email=a@b")).Text;
        var issuer = (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Json["userDataInJWT"]!["iss"]!.GetValue<string>();
        Assert.Equal(403, (await browser.GetAsync("/verified")).Status);

        Assert.True(await app.Sessions.SetClaimAsync(handle, ClientApp.EmailVerified, true, Stop, core.Clock));
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.GetAsync("/verified")).Status);
        Assert.True(await app.Sessions.UpdatePayloadAsync(handle, """{"plan":"gold"}""", Stop));
        var refreshed = await browser.RefreshAsync();
        Assert.Equal((issuer, "gold", null), ((string?)refreshed.Front["up"]!["iss"], (string?)refreshed.Front["up"]!["plan"], refreshed.Front["up"]!["email-verified"]));

        await app.Sessions.SetClaimAsync(handle, ClientApp.EmailVerified, true, Stop, core.Clock);
        Assert.True(await app.Sessions.RemoveClaimAsync(handle, ClientApp.EmailVerified, Stop));
        await browser.RefreshAsync();
        Assert.Equal(403, (await browser.GetAsync("/verified")).Status);
        Assert.False(await app.Sessions.SetClaimAsync($"{Guid.NewGuid()}", ClientApp.EmailVerified, true, Stop));
        Assert.False(await app.Sessions.RemoveClaimAsync($"{Guid.NewGuid()}", ClientApp.EmailVerified, Stop));
    }

    [Fact]
    public async Task What_a_back_end_merged_is_not_lost_to_a_request_with_an_older_token()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}&email=a@b")).Text;
        await app.Sessions.MergePayloadAsync(handle, """{"credit":1.10}""", Stop);

        var merged = JsonElement.Parse((await browser.PostAsync("/merge")).Text);

        Assert.Equal(("1.10", "gold"), (merged.GetProperty("credit").GetRawText(), merged.GetProperty("plan").GetString()));
        Assert.False(merged.TryGetProperty("email", out _));
        Assert.Equal("1.10", JsonElement.Parse((await app.Sessions.FindAsync(handle, Stop))!.PayloadJson).GetProperty("credit").GetRawText());
    }

    [Fact]
    public async Task Several_requests_that_merge_at_the_same_time_all_take_effect()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.MapGrid();
            app.MapPost("/set", async (HttpContext http, string name) => { await http.GetGridSession()!.MergeIntoPayloadAsync(new JsonObject { [name] = true }); }).RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var cookie = $"sAccessToken={browser.Cookies["sAccessToken"]}";

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => Assert.Equal(200, (await app.NewBrowser().SendAsync("POST", $"/set?name=m{i}", cookie: cookie)).Status)));

        var stored = JsonElement.Parse((await app.Sessions.FindAsync(handle, Stop))!.PayloadJson);
        Assert.All(Enumerable.Range(0, 8), i => Assert.True(stored.TryGetProperty($"m{i}", out _)));
    }
}
