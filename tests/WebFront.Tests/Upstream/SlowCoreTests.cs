using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A core behind Grid that is reached and silent, and one that is not there.</summary>
public sealed class SlowCoreTests
{
    [Fact]
    public async Task A_silent_core_is_504_an_absent_one_503_and_the_log_tells_each_once()
    {
        await using var behind = new StandInCore();
        await behind.StartAsync();
        behind.Answers["/recipe/silent"] = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        behind.Answers["/recipe/stops"] = async context =>
        {
            await context.Response.WriteAsync("half of");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        await using var core = new CoreHost
        {
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = behind.Url.ToString(),
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:Timeout"] = "1s",
                ["Grid:Upstream:ConnectTimeout"] = "1m",
            },
        };
        await core.InitializeAsync();

        for (var tries = 0; tries < 2; tries++)
        {
            var late = await core.SendAsync("POST", "/recipe/silent", "{}");
            Assert.Equal((504, "1"), (late.Status, late.Headers.RetryAfter?.ToString()));
            Assert.Equal($"The core behind Grid, {behind.Url.Authority}, does not answer in time. Sessions go on; please retry this later\n", late.Text);
        }

        // What has begun is cut. On a machine that is busy the beginning may be late itself.
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            for (var tries = 0; tries < 60; tries++)
            {
                Assert.Equal(504, (await core.SendAsync("GET", "/recipe/stops")).Status);
            }
        });

        var session = await core.CreateSessionAsync();
        await behind.StopAsync();
        for (var (away, tries) = (0, 0); away < 2; tries++)
        {
            // A starved machine may take longer to refuse a connection than the time-out.
            var status = (await core.SendAsync("POST", "/recipe/signin", "{}")).Status;
            Assert.True(status == 503 || (status == 504 && tries < 60), $"{status}");
            away += status == 503 ? 1 : 0;
        }

        Assert.Equal(["does not answer in time", "cannot be reached"], core.Log.Lines.Where(line => line.Id == 3130).Select(line => line.Text.Split(" Grid ", 2)[1].Split(':')[0]).Distinct());
        Assert.DoesNotContain(core.Log.Lines, line => line.Text.Contains(StandInCore.Key, StringComparison.Ordinal));
        Assert.Equal("OK", (await core.VerifyAsync("", session["accessToken"]!["token"]!.GetValue<string>(), checkDatabase: true)).Word);
    }

    [Fact]
    public async Task Sign_ins_that_fill_up_before_a_silent_core_leave_room_for_all_that_needs_no_core()
    {
        const string Busy = "Service is temporarily unavailable, please retry\n";
        var silence = new TaskCompletionSource();
        await using var behind = new StandInCore();
        await behind.StartAsync();
        await using var core = new CoreHost
        {
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = behind.Url.ToString(),
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:ConnectTimeout"] = "1m",
                ["Grid:Overload:MaxRequests"] = "16",
            },
        };
        await core.InitializeAsync();
        var session = await core.CreateSessionAsync();
        behind.Answers["/user/id"] = context => silence.Task.WaitAsync(context.RequestAborted);
        var isOver = false;
        var flood = Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var refused = 0;
            while (!Volatile.Read(ref isOver))
            {
                // 504 after five seconds.
                var answer = await SignInAsync();
                Assert.True(answer.Status == 504 || (answer.Status, answer.Text) == (503, Busy), $"{answer.Status} {answer.Text}");
                refused += answer.Status == 503 ? 1 : 0;
                await Task.Delay(answer.Status == 503 ? 50 : 0);
            }

            return refused;
        }));
        for (var tries = 0; (await SignInAsync()).Text != Busy; tries++)
        {
            Assert.True(tries < 60, "The flood does not fill up.");
        }

        for (var round = 0; round < 5; round++)
        {
            Assert.Equal("OK", (await core.VerifyAsync("", $"{session["accessToken"]!["token"]}", checkDatabase: true)).Word);
            var refreshed = await core.RefreshAsync("", $"{session["refreshToken"]!["token"]}");
            Assert.Equal("OK", refreshed.Word);
            session = refreshed.Json;
            Assert.Equal("OK", (await core.PostAsync("/recipe/jwt", new { algorithm = "RS256", payload = new { }, jwksDomain = "http://localhost", validity = 60 })).Word);
            Assert.Equal("OK", (await core.SendAsync("GET", "/recipe/session/user?userId=u1&fetchSessionsForAllLinkedAccounts=false")).Word);
        }

        Volatile.Write(ref isOver, true);
        Assert.NotEqual(0, (await flood).Sum());
        core.WaitUntilInside(0);
        behind.Answers.Clear();
        silence.SetResult();
        await core.CreateSessionAsync();

        Task<CoreAnswer> SignInAsync() => core.PostAsync("/recipe/session", new { userId = "u1", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
    }
}
