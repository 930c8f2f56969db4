using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>What is not Grid's passes to the core behind it and back, byte for byte.</summary>
[Collection(nameof(UpstreamHost))]
public sealed class PassThroughTests(UpstreamHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private CoreHost Core => host.Core;

    private StandInCore Behind => host.Behind;

    [Theory]
    [InlineData("POST", "/recipe/signup", """{"email":"a@b.c","password":"\u00fc ü"}""")]
    [InlineData("POST", "/appid-a1/t1/recipe/signinup", """{ "thirdPartyId" : "github" }""")]
    [InlineData("PUT", "/t1/recipe/user/role", """{"userId":"u","role":"admin"}""")]
    [InlineData("PUT", "/recipe/user/metadata", """{"userId":"u","metadataUpdate":{"a":null}}""")]
    [InlineData("GET", "/recipe/user/metadata?userId=a%2Fb%20c&x=%C3%BC&x=&y=+", null)]
    [InlineData("POST", "/recipe/dashboard/session/verify", """{"sessionId":"s"}""")]
    [InlineData("DELETE", "/recipe/dashboard/user?email=a%40b", """{"userId":"u"}""")]
    [InlineData("GET", "/users?limit=10&timeJoinedOrder=ASC", null)]
    [InlineData("GET", "/users/count", null)]
    [InlineData("GET", "/user/id?userId=u", null)]
    [InlineData("GET", "/recipe/userid/map?userId=u", null)]
    [InlineData("GET", "/appid-a1/recipe/multitenancy/tenant/list/v2", null)]
    [InlineData("PUT", "/recipe/multitenancy/config/thirdparty", """{"config":{}}""")]
    [InlineData("GET", "/ee/featureflag", null)]
    [InlineData("GET", "/recipe/user%C3%A9/Odd%20Path/", null)]
    [InlineData("PATCH", "/recipe/oauth/clients", "{}")]
    [InlineData("GET", "/recipe//roles//", null)]
    public async Task Method_path_query_headers_and_body_arrive_as_they_were_sent(string method, string target, string? body)
    {
        Behind.Requests.Clear();
        var answer = await SendAsync(method, target, body, ("cdi-version", "5.4"), ("rid", "emailpassword"), ("X-Odd", "a,  b"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        var seen = Assert.Single(Behind.Requests);
        Assert.Equal((method, "/behind" + target, body ?? ""), (seen.Method, seen.Target, seen.Text));
        Assert.Equal(("5.4", "emailpassword", "a,  b"), (seen.Headers["cdi-version"], seen.Headers["rid"], seen.Headers["X-Odd"]));
        Assert.Equal(body is null ? null : "application/json; charset=utf-8", seen.Headers.GetValueOrDefault("Content-Type"));
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", seen.Headers["traceparent"], StringComparison.Ordinal);
        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task Status_headers_and_bytes_come_back_as_they_were_answered()
    {
        var bytes = RandomNumberGenerator.GetBytes(3000);
        Behind.Answers["/recipe/odd"] = async context =>
        {
            context.Response.StatusCode = 418;
            context.Response.Headers["Set-Cookie"] = new(["a=1", "b=2"]);
            context.Response.Headers["Cache-Control"] = "no-store";
            context.Response.Headers.Location = "/elsewhere?x=1";
            context.Response.ContentType = "application/octet-stream";
            await context.Response.Body.WriteAsync(bytes);
        };

        using var answer = await Core.Http.GetAsync("/recipe/odd", TestContext.Current.CancellationToken);
        Assert.Equal((418, "application/octet-stream"), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
        Assert.Equal(["a=1", "b=2"], answer.Headers.GetValues("Set-Cookie"));
        Assert.Equal(("no-store", "/elsewhere?x=1"), (answer.Headers.CacheControl!.ToString(), answer.Headers.Location!.ToString()));
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("", (await Core.SendAsync("HEAD", "/recipe/odd")).Text);
    }

    [Fact]
    public async Task Clients_show_grids_key_and_grid_shows_its_own()
    {
        foreach (var header in new[] { ("api-key", UpstreamHost.Key), ("Authorization", UpstreamHost.Key), ("Authorization", "Bearer " + UpstreamHost.Key) })
        {
            Behind.Requests.Clear();
            using var http = new HttpClient { BaseAddress = Core.Url };
            using var request = new HttpRequestMessage(HttpMethod.Get, "/recipe/roles");
            request.Headers.TryAddWithoutValidation(header.Item1, header.Item2);
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var seen = Assert.Single(Behind.Requests);
            Assert.Equal(StandInCore.Key, seen.Headers["api-key"]);
            Assert.DoesNotContain(seen.Headers, pair => pair.Value.Contains(UpstreamHost.Key, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Without_grids_key_nothing_passes_not_even_with_the_other_cores()
    {
        Behind.Requests.Clear();
        using var http = new HttpClient { BaseAddress = Core.Url };
        foreach (var key in new[] { null, StandInCore.Key })
        {
            foreach (var path in new[] { "/recipe/signup", "/appid-a1/t1/users", "/user/remove", "/apiversion", "/no/such/path" })
            {
                Core.Clock.Skip(TimeSpan.FromMinutes(1));
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("{}") };
                request.Headers.TryAddWithoutValidation("api-key", key);
                using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal((401, "Invalid API key\n"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            }
        }

        Assert.Empty(Behind.Requests);
    }

    [Fact]
    public async Task A_wrong_key_of_grid_is_not_told_as_the_clients()
    {
        Behind.Answers["/recipe/locked"] = context => StandInCore.WriteAsync(context, "Invalid API key\n", 401);

        var answer = await Core.SendAsync("GET", "/recipe/locked");

        Assert.Equal(503, answer.Status);
        Assert.Contains("does not accept the API key that Grid has for it (Grid:Upstream:ApiKey)", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(StandInCore.Key, answer.Text, StringComparison.Ordinal);
        Assert.Contains("3130", string.Join(',', Core.Log.Lines.Select(line => line.Id)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_bodies_pass_in_both_directions_without_being_kept()
    {
        var large = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        Behind.Answers["/bulk-import/users"] = async context =>
        {
            // Read whole before it is answered, as cores do: a client of HTTP/1.1 reads no answer while it still writes.
            using var whole = new MemoryStream();
            await context.Request.Body.CopyToAsync(whole);
            context.Response.ContentType = "application/octet-stream";
            await context.Response.Body.WriteAsync(whole.GetBuffer().AsMemory(0, (int)whole.Length));
        };

        foreach (var isChunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/bulk-import/users") { Content = new ByteArrayContent(large) };
            request.Headers.TransferEncodingChunked = isChunked;
            request.Headers.ExpectContinue = isChunked;
            using var answer = await Core.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            Assert.Equal(large, await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task What_is_answered_bit_by_bit_arrives_bit_by_bit()
    {
        var more = new TaskCompletionSource();
        Behind.Answers["/recipe/stream"] = async context =>
        {
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            await more.Task;
            await context.Response.WriteAsync("second");
        };

        using var answer = await Core.Http.GetAsync("/recipe/stream", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var first = new byte[6];
        await stream.ReadExactlyAsync(first, TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal("first ", Encoding.ASCII.GetString(first));
        more.SetResult();
        using var rest = new StreamReader(stream);
        Assert.Equal("second", await rest.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_cut_and_not_taken_for_whole()
    {
        var arrived = new TaskCompletionSource();
        Behind.Answers["/recipe/broken"] = async context =>
        {
            await context.Response.WriteAsync("half of");
            await context.Response.Body.FlushAsync();
            await arrived.Task;
            context.Abort();
        };

        using var answer = await Core.Http.GetAsync("/recipe/broken", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await stream.ReadExactlyAsync(new byte[7], TestContext.Current.CancellationToken);
        arrived.SetResult();
        await Assert.ThrowsAnyAsync<IOException>(() => stream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task A_client_that_leaves_is_not_waited_for_behind()
    {
        var (begun, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        Behind.Answers["/recipe/patient"] = async context =>
        {
            using var registration = context.RequestAborted.Register(left.SetResult);
            begun.SetResult();
            await left.Task.WaitAsync(Patience);
        };

        using var leaving = new CancellationTokenSource();
        var asked = Core.Http.GetAsync("/recipe/patient", leaving.Token);
        await begun.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await left.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_core_that_breaks_off_is_told_in_words_and_sessions_go_on()
    {
        Behind.Answers["/recipe/signin"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        try
        {
            var answer = await SendAsync("POST", "/recipe/signin", "{}");

            Assert.Equal((503, "1"), (answer.Status, answer.Headers.RetryAfter?.ToString()));
            Assert.Equal($"The core behind Grid, {Behind.Url.Authority}, cannot be reached. Sessions go on; please retry this later\n", answer.Text);
            var session = await Core.CreateSessionAsync();
            Assert.Equal("OK", (await Core.VerifyAsync("", session["accessToken"]!["token"]!.GetValue<string>(), checkDatabase: true)).Word);
        }
        finally
        {
            Behind.Answers.TryRemove("/recipe/signin", out _);
        }
    }

    [Fact]
    public async Task Requests_that_wait_for_a_slow_core_take_no_other_requests_place()
    {
        using (Core.TakePlaces("Forward"))
        {
            Assert.Equal(503, (await SendAsync("POST", "/recipe/signin", "{}")).Status);
            Assert.NotNull((await Core.CreateSessionAsync())["session"]);
        }

        using (Core.TakePlaces("List", "Verify", "Create", "Refresh", "Revoke"))
        {
            Assert.Equal(200, (await SendAsync("POST", "/recipe/signin", "{}")).Status);
        }
    }

    [Theory]
    [InlineData("/recipe/../user/remove")]
    [InlineData("/recipe/%2e%2E/%2e/users")]
    [InlineData("/user/remove;x=1")]
    [InlineData("/user/remove%3Bx=1")]
    [InlineData("/user%2Fremove")]
    [InlineData("/user%5cremove")]
    public async Task A_path_that_two_servers_may_read_differently_goes_nowhere(string path)
    {
        Behind.Requests.Clear();
        using var client = new TcpClient();
        await client.ConnectAsync(Core.Url.Host, Core.Url.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\napi-key: {UpstreamHost.Key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);

        Assert.StartsWith("HTTP/1.1 400", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Empty(Behind.Requests);
    }

    [Fact]
    public async Task A_request_that_comes_back_to_grid_goes_round_no_more()
    {
        Behind.Requests.Clear();
        var answer = await SendAsync("GET", "/recipe/roles", null, ("grid-hop", "1"));

        Assert.Equal(508, answer.Status);
        Assert.Contains("Grid:Upstream:Uri", answer.Text, StringComparison.Ordinal);
        Assert.Empty(Behind.Requests);

        // What the outer one makes of it.
        Behind.Answers["/recipe/circle"] = context => StandInCore.WriteAsync(context, "", 508);
        Assert.Contains("leads back to Grid", (await Core.SendAsync("GET", "/recipe/circle")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/recipe/session/unheard-of")]
    [InlineData("PUT", "/recipe/session/verify")]
    [InlineData("POST", "/recipe/handshake")]
    [InlineData("GET", "/session/unheard-of")]
    public async Task What_concerns_sessions_is_never_asked_behind(string method, string path)
    {
        Behind.Requests.Clear();
        Assert.Equal((404, "Not found\n"), await Core.SendAsync(method, path, method == "GET" ? null : "{}") is var answer ? (answer.Status, answer.Text) : default);
        Assert.Empty(Behind.Requests);
    }

    [Fact]
    public async Task Clients_are_offered_the_versions_that_both_serve()
    {
        await UntilOfferedAsync("/apiversion?websiteDomain=http%3A%2F%2Fa&apiDomain=http%3A%2F%2Fb", """{"versions":["3.0","4.0","5.0","5.1","5.2","5.3","5.4"]}""");

        Behind.Versions = ["5.3"];
        try
        {
            await UntilOfferedAsync("/apiversion", """{"versions":["5.3"]}""");

            // Away, it is as it was when it was last heard of.
            Behind.Answers["/apiversion"] = context =>
            {
                context.Abort();
                return Task.CompletedTask;
            };
            Assert.Equal("""{"versions":["5.3"]}""", (await Core.SendAsync("GET", "/apiversion")).Text);
        }
        finally
        {
            Behind.Answers.TryRemove("/apiversion", out _);
            Behind.Versions = ["3.0", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "9.9"];
            await Core.SendAsync("GET", "/apiversion");
        }
    }

    [Fact]
    public async Task The_key_set_holds_the_keys_of_both_and_no_private_part()
    {
        await Core.CreateSessionAsync();
        var own = JsonNode.Parse((await Core.SendAsync("GET", "/.well-known/jwks.json")).Text)!["keys"]!.AsArray();
        var ownKid = own.First(key => key!["kid"]!.GetValue<string>().StartsWith("s-", StringComparison.Ordinal))!["kid"]!.GetValue<string>();
        Behind.Jwks =
        [
            new JsonObject { ["kty"] = "RSA", ["kid"] = "s-behind", ["n"] = "AQAB", ["e"] = "AQAB", ["alg"] = "RS256", ["use"] = "sig", ["d"] = "private" },
            new JsonObject { ["kty"] = "RSA", ["kid"] = ownKid, ["n"] = "AQAB", ["e"] = "AQAB" },
            new JsonObject { ["kty"] = "oct", ["kid"] = "secret", ["k"] = "secret" },
        ];
        Core.Clock.Skip(TimeSpan.FromMinutes(2));

        // A starved machine may take longer than a client is made to wait for them.
        var answer = await Core.SendAsync("GET", "/.well-known/jwks.json");
        for (var tries = 0; tries < 1200 && !answer.Text.Contains("s-behind", StringComparison.Ordinal); tries++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            Core.Clock.Skip(TimeSpan.FromSeconds(10));
            answer = await Core.SendAsync("GET", "/.well-known/jwks.json");
        }

        var keys = answer.Json["keys"]!.AsArray().ToDictionary(key => key!["kid"]!.GetValue<string>(), key => key!.ToJsonString());
        Assert.Equal("""{"kty":"RSA","kid":"s-behind","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig"}""", keys["s-behind"]);
        Assert.Equal(own.First(key => key!["kid"]!.GetValue<string>() == ownKid)!.ToJsonString(), keys[ownKid]);
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
        Assert.InRange(answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds, 0, 60);

        // Away, the keys that are known stay.
        Behind.Answers["/jwks.json"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        Core.Clock.Skip(TimeSpan.FromMinutes(2));
        Assert.Contains("s-behind", (await Core.SendAsync("GET", "/recipe/jwt/jwks")).Text, StringComparison.Ordinal);
        Behind.Answers.TryRemove("/jwks.json", out _);
    }

    [Fact]
    public async Task Readiness_says_that_it_is_away_and_stays_green_for_sessions()
    {
        Behind.Answers["/apiversion"] = context => StandInCore.WriteAsync(context, "Invalid API key\n", 401);
        try
        {
            await UntilAsync("Degraded");
        }
        finally
        {
            Behind.Answers.TryRemove("/apiversion", out _);
        }

        await UntilAsync("Healthy");
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(200)]
    public async Task What_one_app_is_answered_about_versions_says_nothing_of_the_others(int status)
    {
        await UntilOfferedAsync("/apiversion", """{"versions":["3.0","4.0","5.0","5.1","5.2","5.3","5.4"]}""");
        var pulse = Core.Services.GetRequiredService<UpstreamPulse>();
        var app = await Core.CreateAppAsync();
        Behind.Answers[$"{app}/apiversion"] = context => StandInCore.WriteAsync(context, status == 200 ? """{"versions":["5.2"]}""" : "No\n", status);

        var versions = status == 200 ? """{"versions":["5.2"]}""" : """{"versions":["3.0","4.0","5.0","5.1","5.2","5.3","5.4"]}""";
        await UntilOfferedAsync($"{app}/apiversion", versions);

        Assert.Equal(["3.0", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4"], pulse.Common!.Value.Select(version => version.ToString()));
        Assert.False(pulse.Trouble is UpstreamTrouble.Odd or UpstreamTrouble.WrongKey);
    }

    // Versions that were known before are offered when a starved machine is late for the new ones.
    private async Task UntilOfferedAsync(string path, string versions)
    {
        var answer = await Core.SendAsync("GET", path);
        for (var tries = 0; tries < 100 && answer.Text != versions; tries++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            answer = await Core.SendAsync("GET", path);
        }

        Assert.Equal(versions, answer.Text);
    }

    private async Task UntilAsync(string status)
    {
        for (var tries = 0; ; tries++)
        {
            Core.Clock.Skip(TimeSpan.FromSeconds(5));
            var answer = await Core.SendAsync("GET", "/health/ready?verbose");
            // On a machine without time for it Grid may not be ready for a reason of its own, for a moment.
            if (answer.Status == 200 && answer.Json["checks"]!["upstream"]!["status"]!.GetValue<string>() == status)
            {
                return;
            }

            Assert.True(tries < 1200, $"It does not become {status} and ready: {answer.Status} {answer.Text}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private Task<CoreAnswer> SendAsync(string method, string target, string? body, params (string, string)[] headers) => Core.SendAsync(method, target, body, null, headers);
}
