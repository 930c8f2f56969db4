namespace Grid.WebFront.Tests;

/// <summary>A store that is away signs nobody out: 503, never 401 and never <c>UNAUTHORISED</c>.</summary>
public sealed class OutageTests(CoreHost core)
{
    [Fact]
    public async Task What_needs_the_store_is_answered_with_503_and_works_again_afterwards()
    {
        var app = await core.CreateAppAsync();
        var appId = app["/appid-".Length..];
        var session = await core.CreateSessionAsync(app);
        var (access, refresh, sessionHandle) = (
            $"{session["accessToken"]!["token"]}", $"{session["refreshToken"]!["token"]}", $"{session["session"]!["handle"]}");
        var known = $"{(await core.CreateSessionAsync(app))["accessToken"]!["token"]}";
        await UntilKnownAsync(app, known);
        core.Store.TakeAway(appId);
        CoreAnswer[] answers =
        [
            await core.PostAsync($"{app}/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }),
            await core.VerifyAsync(app, access),
            await core.VerifyAsync(app, access, checkDatabase: true),
            await core.VerifyAsync(app, access, checkDatabase: true, "5.4"),
            await core.RefreshAsync(app, refresh),
            await core.RefreshAsync(app, refresh, "5.4"),
            await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = access, userDataInJWT = new { } }),
            await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={sessionHandle}"),
            await core.SendAsync("GET", $"{app}/recipe/session/user?userId=u1"),
            await core.SendAsync("PUT", $"{app}/recipe/session/data", new { sessionHandle, userDataInDatabase = new { } }),
            await core.SendAsync("PUT", $"{app}/recipe/jwt/data", new { sessionHandle, userDataInJWT = new { } }),
            await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { sessionHandle } }),
            await core.PostAsync($"{app}/recipe/session/remove", new { userId = "u1" }),
            await core.PostAsync($"{app}/user/remove", new { userId = "u1" }),
        ];
        var fromMemory = await core.VerifyAsync(app, known);
        var withBranchFromMemory = await core.VerifyAsync(app, known, checkDatabase: true);
        core.Store.GiveBack(appId);

        Assert.All(answers, answer =>
        {
            Assert.Equal(
                (503, "text/html; charset=UTF-8", "Service is temporarily unavailable, please retry\n"), (answer.Status, answer.ContentType, answer.Text));
            Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        });
        Assert.Equal("OK", fromMemory.Word);
        Assert.Equal("OK", withBranchFromMemory.Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, access, checkDatabase: true)).Word);
        Assert.Equal("OK", (await core.RefreshAsync(app, refresh)).Word);
    }

    [Fact]
    public async Task A_value_that_the_store_refuses_is_the_callers_mistake_and_no_outage()
    {
        var app = await core.CreateAppAsync();

        var answer = await core.PostAsync(
            $"{app}/recipe/session",
            new { userId = SwitchableStore.RefusedUserId, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, useDynamicSigningKey = true });

        Assert.Equal((400, "A value of this request cannot be stored.\n"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task A_known_session_and_what_a_signature_decides_never_ask_the_store()
    {
        var app = await core.CreateAppAsync();
        var appId = app["/appid-".Length..];
        var session = await core.CreateSessionAsync(app);
        var access = $"{session["accessToken"]!["token"]}";
        var refresh = $"{session["refreshToken"]!["token"]}";
        await UntilKnownAsync(app, access);
        var reads = core.Store.Reads(appId);
        core.Store.TakeAway(appId);

        foreach (var version in new[] { "2.21", "5.4", "5.6" })
        {
            Assert.Equal("OK", (await core.VerifyAsync(app, access, version: version)).Word);
            Assert.Equal("OK", (await core.VerifyAsync(app, access, checkDatabase: true, "5.6")).Word);
            foreach (var forged in Forgeries(access))
            {
                Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, forged, checkDatabase: true, version)).Word);
            }

            // Its header apart: a regeneration takes a token whose key was retired as one that has expired.
            foreach (var forged in Forgeries(access).Where(f => f.StartsWith(access.Split('.')[0], StringComparison.Ordinal)))
            {
                Assert.Equal("UNAUTHORISED", (await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = forged, userDataInJWT = new { evil = 1 } }, version)).Word);
            }

            foreach (var forged in Forgeries(refresh).Append(access))
            {
                Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, forged, version)).Word);
            }
        }

        Assert.Equal(reads, core.Store.Reads(appId));
        core.Store.GiveBack(appId);
    }

    [Fact]
    public async Task An_app_may_prefer_valid_tokens_to_503_while_nobody_can_say()
    {
        var app = await core.CreateAppAsync(new { stale_session_behaviour = "BOUNDED" });
        var access = $"{(await core.CreateSessionAsync(app))["accessToken"]!["token"]}";
        core.Store.TakeAway(app["/appid-".Length..]);

        var byToken = await core.VerifyAsync(app, access);
        var withBranch = await core.VerifyAsync(app, access, checkDatabase: true);
        core.Store.GiveBack(app["/appid-".Length..]);

        Assert.Equal("OK", byToken.Word);
        Assert.Equal(503, withBranch.Status);
    }

    private async Task UntilKnownAsync(string app, string access)
    {
        await core.HeardOfAppsAsync();
        for (var tries = 0; ; tries++)
        {
            var reads = core.Store.Reads(app["/appid-".Length..]);
            Assert.Equal("OK", (await core.VerifyAsync(app, access)).Word);
            if (core.Store.Reads(app["/appid-".Length..]) == reads)
            {
                return;
            }

            Assert.True(tries < 600, "Each check asks the store.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    // Each part of a token changed in one place, cut and grown.
    private static IEnumerable<string> Forgeries(string token) => Enumerable.Range(0, (token.Length / 29) + 1)
        .Select(i => Math.Min(i * 29, token.Length - 2))
        .Select(at => token.Remove(at, 1).Insert(at, token[at] == 'A' ? "B" : "A"))
        .Concat([token[..^1], token + "A", "", ".."]);
}
