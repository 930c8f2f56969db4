using System.Collections.Concurrent;
using Grid.Abstractions.Apps;
using Grid.Client;
using Grid.GrainDoors;
using Grid.WebFront.Admission;
using Grid.WebFront.Front;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A sign-in that waits for the core behind Grid holds no place of what needs the store only, by whichever door it came.</summary>
[Collection(nameof(UpstreamHost))]
public sealed class SignInPlaceTests(UpstreamHost host)
{
    private readonly string _user = Guid.NewGuid().ToString("D");

    private CoreHost Core => host.Core;

    [Theory]
    [InlineData("create", 2)]
    [InlineData("order", 1)]
    [InlineData("redeem", 2)]
    [InlineData("front", 2)]
    [InlineData("orleans", 2)]
    [InlineData("process", 2)]
    public async Task While_the_core_is_asked_a_sign_in_holds_a_place_of_its_own_and_none_of_creates(string door, int questions)
    {
        var seen = new ConcurrentQueue<(int Create, int Ask, int All)>();
        host.Behind.Answers["/user/id"] = context =>
        {
            seen.Enqueue((Core.Inside("create"), Core.Inside("ask"), Core.Inside()));
            return StandInCore.WriteAsync(context, """{"status":"UNKNOWN_USER_ID_ERROR"}""");
        };
        try
        {
            // A starved machine may take longer over a question than there is patience for.
            for (var (isDone, tries) = (false, 0); !isDone; tries++)
            {
                Assert.True(tries < 60, "Nobody can sign in.");
                var ticket = door is "redeem" or "front" ? await OrderAsync() : null;
                Core.WaitUntilInside(0);
                seen.Clear();
                isDone = (await SignInAsync(door, ticket)).IsDone;
            }
        }
        finally
        {
            host.Behind.Answers.TryRemove("/user/id", out _);
        }

        Assert.All(seen, one => Assert.Equal(0, one.Create));
        Assert.True(seen.Count(one => one == (0, 1, 1)) >= questions, string.Join(", ", seen));
        Core.WaitUntilInside(0);
    }

    [Fact]
    public async Task As_many_as_may_wait_for_the_core_wait_and_the_next_is_refused_at_once_with_nothing_done()
    {
        var session = await Core.CreateSessionAsync(userId: _user);
        var ticket = await OrderAsync();
        Core.WaitUntilInside(0);
        using (Core.TakePlaces("Ask"))
        {
            var asked = host.Behind.For("/user/id").Count;
            foreach (var path in new[] { "/recipe/session", "/session/ticket" })
            {
                var refused = await Core.PostAsync(path, NewSession());
                Assert.Equal((503, "Service is temporarily unavailable, please retry\n"), (refused.Status, refused.Text));
                Assert.Contains($"{refused.Headers.RetryAfter}", new[] { "1", "2", "3" });
            }

            Assert.Equal((false, true), await SignInAsync("front", ticket));
            Assert.Equal((false, true), await SignInAsync("orleans", null));
            Assert.Equal((false, true), await SignInAsync("process", null));
            Assert.Equal(asked, host.Behind.For("/user/id").Count);

            Assert.Equal("OK", (await Core.VerifyAsync("", $"{session["accessToken"]!["token"]}", checkDatabase: true)).Word);
            Assert.Equal("OK", (await Core.RefreshAsync("", $"{session["refreshToken"]!["token"]}")).Word);
            Assert.Equal("OK", (await Core.PostAsync("/recipe/jwt", new { algorithm = "RS256", payload = new { }, jwksDomain = "http://localhost", validity = 60 })).Word);
            Assert.Equal("upstream", $"{(await Core.PostAsync("/recipe/signin", new { })).Json["from"]}");
            Assert.Equal([$"{session["session"]!["handle"]}"], (await Core.SendAsync("GET", $"/recipe/session/user?userId={_user}")).Json["sessionHandles"]!.AsArray().Select(handle => $"{handle}"));
        }

        Core.WaitUntilInside(0);
    }

    [Fact]
    public async Task Who_finds_no_way_back_to_creates_is_refused_and_leaves_no_place_behind()
    {
        using (var taken = Core.TakePlaces("Create"))
        {
            // There is one when it comes, and none any more when the core has answered.
            taken.Free();
            host.Behind.Answers["/user/id"] = context =>
            {
                taken.Add(Core.Services.GetRequiredService<AdmissionControl>().Enter(
                    RequestClass.Create, Asker.Of(AppKey.Public)));
                return StandInCore.WriteAsync(context, """{"status":"UNKNOWN_USER_ID_ERROR"}""");
            };
            try
            {
                Assert.Equal(503, (await Core.PostAsync("/recipe/session", NewSession())).Status);
            }
            finally
            {
                host.Behind.Answers.TryRemove("/user/id", out _);
            }

            Core.WaitUntilInside(taken.Count);
            Assert.Equal(0, Core.Inside("ask"));
        }

        Assert.Equal("""{"status":"OK","sessionHandles":[]}""", (await Core.SendAsync("GET", $"/recipe/session/user?userId={_user}")).Text);
        Core.WaitUntilInside(0);
    }

    private object NewSession() => new { userId = _user, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } };

    private async Task<string> OrderAsync()
    {
        var ordered = await Core.PostAsync("/session/ticket", NewSession());
        for (var tries = 0; tries < 60 && ordered.Status == 504; tries++)
        {
            ordered = await Core.PostAsync("/session/ticket", NewSession());
        }

        return $"{ordered.Json["ticket"]}";
    }

    private async Task<(bool IsDone, bool SaysWhenToComeBack)> SignInAsync(string door, string? ticket)
    {
        var sessions = Core.Services.GetRequiredService<InProcessSessions>();
        switch (door)
        {
            case "create" or "order":
                var answer = await Core.PostAsync(door == "create" ? "/recipe/session" : "/session/ticket", NewSession());
                return (answer.Word == "OK", answer.Headers.RetryAfter is not null);
            case "front":
                using (var browser = new TestBrowser(Core.FrontUrl))
                {
                    var redeemed = await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"));
                    return (redeemed.Status == 200, redeemed.Status == 503 && redeemed.Header("Retry-After") is not null);
                }

            case "orleans":
                RequestContext.Set(DoorCaller.Key, new DoorCaller { App = "public", ApiKey = UpstreamHost.Key });
                var orleans = Core.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionDoor>(GrainId.Create(DoorNames.Sessions, DoorNames.Key));
                var made = await orleans.CreateAsync(new SessionDraft { UserId = _user });
                return (made.Outcome == DoorOutcome.Done, made.RetryAfter is not null);
            default:
                try
                {
                    return door == "redeem"
                        ? (await sessions.RedeemTicketAsync((await sessions.OpenTicketAsync(ticket!))!) is not null, false)
                        : (await sessions.CreateAsync(new SessionDraft { UserId = _user }, TestContext.Current.CancellationToken) is not null, false);
                }
                catch (GridException refused) when (refused.Reason == GridFailure.Unavailable)
                {
                    return (false, refused.RetryAfter is not null);
                }
        }
    }
}
