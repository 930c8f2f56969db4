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
        core.Store.TakeAway(appId);
        CoreAnswer[] answers =
        [
            await core.PostAsync($"{app}/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }),
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
        var bySignatureAlone = await core.VerifyAsync(app, access);
        core.Store.GiveBack(appId);

        Assert.All(answers, answer =>
        {
            Assert.Equal(
                (503, "text/html; charset=UTF-8", "Service is temporarily unavailable, please retry\n"), (answer.Status, answer.ContentType, answer.Text));
            Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        });
        Assert.Equal("OK", bySignatureAlone.Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, access, checkDatabase: true)).Word);
        Assert.Equal("OK", (await core.RefreshAsync(app, refresh)).Word);
    }

    [Fact]
    public async Task What_a_signature_decides_never_asks_the_store()
    {
        var app = await core.CreateAppAsync();
        var appId = app["/appid-".Length..];
        var session = await core.CreateSessionAsync(app);
        var access = $"{session["accessToken"]!["token"]}";
        var refresh = $"{session["refreshToken"]!["token"]}";
        var reads = core.Store.Reads(appId);
        core.Store.TakeAway(appId);

        foreach (var version in new[] { "2.21", "5.4", "5.6" })
        {
            Assert.Equal("OK", (await core.VerifyAsync(app, access, version: version)).Word);
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

    // Each part of a token changed in one place, cut and grown.
    private static IEnumerable<string> Forgeries(string token) => Enumerable.Range(0, (token.Length / 29) + 1)
        .Select(i => Math.Min(i * 29, token.Length - 2))
        .Select(at => token.Remove(at, 1).Insert(at, token[at] == 'A' ? "B" : "A"))
        .Concat([token[..^1], token + "A", "", ".."]);
}
