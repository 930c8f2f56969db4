using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Tests.Admission;

/// <summary>A silo with as many requests in progress as it takes: what callers of each door are told, and what goes on.</summary>
public sealed class OverloadTests(CoreHost core)
{
    private const string Busy = "Service is temporarily unavailable, please retry\n";

    private static readonly string[] AllButRevocations = ["Refresh", "Create", "Verify", "List"];

    // Operations that cost nothing, or have limits of their own.
    private static readonly string[] Unlimited =
    [
        "/", "/hello", "/apiversion", "/telemetry", "/ee/license", "/ee/featureflag", "/.well-known/jwks.json", "/recipe/jwt/jwks", "/session/holder",
        "/user/id", "/recipe/userid/map", "/users/count", "/users/count/active", "/users", "/users/by-accountinfo",
        "/recipe/multitenancy/tenant/user", "/recipe/multitenancy/tenant/user/remove",
    ];

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task The_core_api_answers_503_with_the_time_to_come_back_and_changes_nothing()
    {
        var session = await core.CreateSessionAsync(userId: _user);
        var (access, refresh, handle) = ($"{session["accessToken"]!["token"]}", $"{session["refreshToken"]!["token"]}", $"{session["session"]!["handle"]}");
        using (core.TakePlaces(AllButRevocations))
        {
            CoreAnswer[] answers =
            [
                await core.PostAsync("/recipe/session", new { userId = _user, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }),
                await core.VerifyAsync("", access),
                await core.RefreshAsync("", refresh),
                await core.PostAsync("/recipe/session/regenerate", new { accessToken = access, userDataInJWT = new { } }),
                await core.SendAsync("PUT", "/recipe/session/data", new { sessionHandle = handle, userDataInDatabase = new { changed = true } }),
                await core.PostAsync("/session/ticket", new { userId = _user }),
                await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}"),
                await core.SendAsync("GET", $"/recipe/session/user?userId={_user}"),
                await core.SendAsync("GET", "/recipe/multitenancy/tenant/list"),
            ];
            Assert.All(answers, answer =>
            {
                Assert.Equal((503, "text/html; charset=UTF-8", Busy), (answer.Status, answer.ContentType, answer.Text));
                Assert.InRange(int.Parse(answer.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 3);
            });
            Assert.Equal("Hello\n", (await core.SendAsync("GET", "/hello")).Text);
            Assert.Equal(200, (await core.SendAsync("GET", "/.well-known/jwks.json")).Status);
        }

        Assert.Equal([handle], (await core.SendAsync("GET", $"/recipe/session/user?userId={_user}")).Json["sessionHandles"]!.AsArray().Select(one => $"{one}"));
        Assert.DoesNotContain("changed", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Text, StringComparison.Ordinal);
        Assert.Equal("OK", (await core.VerifyAsync("", access)).Word);
        Assert.Equal("OK", (await core.RefreshAsync("", refresh)).Word);
    }

    [Fact]
    public async Task Revocations_are_done_while_everything_else_is_refused()
    {
        var handle = $"{(await core.CreateSessionAsync(userId: _user))["session"]!["handle"]}";
        using (core.TakePlaces(AllButRevocations))
        {
            var revoked = await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } });
            Assert.Equal([handle], revoked.Json["sessionHandlesRevoked"]!.AsArray().Select(one => $"{one}"));
            Assert.Equal("OK", (await core.PostAsync("/session/revoke", new { userId = _user })).Word);
        }
    }

    [Fact]
    public async Task Another_app_is_served_in_every_class_while_one_app_and_the_browsers_have_all_places()
    {
        var other = await core.CreateAppAsync();
        var (access, refresh) = await TokensAsync(other);
        await core.HeardOfAppsAsync();
        using (core.TakePlaces([.. AllButRevocations, "Revoke"]))
        {
            Assert.Equal(503, (await core.PostAsync("/session/revoke", new { userId = _user })).Status);
            Assert.Equal(503, (await core.SendAsync("GET", $"/recipe/session/user?userId={_user}")).Status);

            var handle = $"{(await CreatedAsync(other))["session"]!["handle"]}";
            Assert.Equal("OK", (await core.VerifyAsync(other, access)).Word);
            Assert.Equal("OK", (await core.RefreshAsync(other, refresh)).Word);
            Assert.Contains(handle, (await core.SendAsync("GET", $"{other}/recipe/session/user?userId={_user}")).Text, StringComparison.Ordinal);
            Assert.Equal("OK", (await core.PostAsync($"{other}/session/revoke", new { userId = _user })).Word);
        }
    }

    [Fact]
    public async Task A_request_with_a_wrong_key_takes_no_place_of_the_app_that_it_names()
    {
        const string Key = "a-key-of-the-app-that-is-named";
        var other = await core.CreateAppAsync(new { api_keys = Key });
        await core.HeardOfAppsAsync();
        using var places = core.TakePlaces(AllButRevocations);

        var wrong = await core.SendAsync("GET", $"{other}/recipe/session/user?userId={_user}", headers: ("api-key", "a-wrong-key"));
        Assert.Equal(401, wrong.Status);
        core.WaitUntilInside(places.Count);
        var right = await core.SendAsync("GET", $"{other}/recipe/session/user?userId={_user}", headers: ("api-key", Key));
        Assert.Equal("OK", right.Word);
    }

    [Fact]
    public async Task The_front_refuses_without_signing_anybody_out_and_still_signs_out_who_asks_for_it()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        await core.SignInAsync(browser);
        var ticket = $"{(await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]}";
        using (core.TakePlaces(AllButRevocations))
        {
            using var other = new TestBrowser(core.FrontUrl);
            FrontAnswer[] refused =
            [
                await browser.RefreshAsync(),
                await browser.PostAsync("/auth/t1/session/refresh"),
                await browser.GetAsync("/auth/verify"),
                await browser.GetAsync("/auth/verify-optional"),
                await other.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session")),
            ];
            Assert.All(refused, answer =>
            {
                Assert.Equal((503, """{"message":"temporarily unavailable, please retry"}"""), (answer.Status, answer.Text));
                Assert.Empty(answer.SetCookie);
                Assert.NotNull(answer.Header("Retry-After"));
            });
        }

        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.GetAsync("/auth/verify")).Status);
        using (core.TakePlaces(AllButRevocations))
        {
            Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
        }

        using var late = new TestBrowser(core.FrontUrl);
        Assert.Equal(200, (await late.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
    }

    [Fact]
    public async Task Who_sends_a_body_slowly_holds_no_place()
    {
        const string Body = """{"userId":"slow","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""";
        using var places = core.TakePlaces("Create");
        places.Free();
        using var slow = await SlowRequest.BeginAsync(core.Url, Body);
        await core.CreateSessionAsync(userId: _user);
        core.WaitUntilInside(places.Count);

        Assert.Contains("""{"status":"OK","session":""", await slow.FinishAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_late_with_the_body_is_refused_then_and_nothing_is_done()
    {
        const string Body = """{"userId":"late","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""";
        using var late = await SlowRequest.BeginAsync(core.Url, Body);
        using (core.TakePlaces("Create"))
        {
            var answer = await late.FinishAsync();

            Assert.Contains("HTTP/1.1 503", answer, StringComparison.Ordinal);
            Assert.EndsWith(Busy, answer, StringComparison.Ordinal);
        }

        Assert.Equal("""{"status":"OK","sessionHandles":[]}""", (await core.SendAsync("GET", "/recipe/session/user?userId=late")).Text);
    }

    [Fact]
    public void Every_operation_of_the_core_api_has_a_class_or_costs_nothing()
    {
        var without = core.Endpoints.Cast<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<CoreRoute>()!.Class == RequestClass.None)
            .Select(endpoint => endpoint.RoutePattern.RawText!).Distinct();

        Assert.Equal(Unlimited.Order(), without.Order());
    }

    private async Task<(string Access, string Refresh)> TokensAsync(string app)
    {
        var session = await core.CreateSessionAsync(app, _user);
        return ($"{session["accessToken"]!["token"]}", $"{session["refreshToken"]!["token"]}");
    }

    // Tried once.
    private async Task<JsonObject> CreatedAsync(string app)
    {
        var created = await core.PostAsync($"{app}/recipe/session", new { userId = _user, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
        Assert.Equal("OK", created.Word);
        return created.Json;
    }

    /// <summary>A create whose body is asked for and does not come yet.</summary>
    private sealed class SlowRequest(TcpClient client, string body) : IDisposable
    {
        private readonly StreamReader _reader = new(client.GetStream(), Encoding.ASCII);

        public static async Task<SlowRequest> BeginAsync(Uri core, string body)
        {
            var client = new TcpClient();
            await client.ConnectAsync(core.Host, core.Port, TestContext.Current.CancellationToken);
            var request = new SlowRequest(client, body);
            await request.SendAsync(
                $"POST /recipe/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");

            // Said when the operation begins to read.
            Assert.Equal("HTTP/1.1 100 Continue", await request._reader.ReadLineAsync(TestContext.Current.CancellationToken));
            return request;
        }

        public async Task<string> FinishAsync()
        {
            await SendAsync(body);
            return await _reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }

        public void Dispose()
        {
            _reader.Dispose();
            client.Dispose();
        }

        private async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
    }
}
