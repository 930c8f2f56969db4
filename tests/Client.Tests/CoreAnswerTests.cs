using System.Text.Json.Nodes;

namespace Grid.Client.Tests;

/// <summary>What stands at the connection URI may be another server, a proxy's page or an older Grid: each call says so, and how.</summary>
public sealed class CoreAnswerTests
{
    private const string Tokens = """ "accessToken":{"token":"a","expiry":2,"createdTime":1},"refreshToken":{"token":"r","expiry":3,"createdTime":1} """;

    private static readonly string[] Optional = ["accessToken of regenerate"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Dictionary<string, (string Answer, Func<IGridSessions, Task> Call)> Calls => new()
    {
        ["create"] = ($$"""{"status":"OK","session":{"handle":"h","userId":"u","tenantId":"public","userDataInJWT":{} },{{Tokens}}}""", s => s.CreateAsync(new SessionDraft { UserId = "u" }, Stop)),
        ["refresh"] = ($$"""{"status":"OK","session":{"handle":"h","userId":"u","tenantId":"public","userDataInJWT":{} },{{Tokens}}}""", s => s.RefreshAsync(new TokenToRefresh("r", false, null, true), Stop)),
        ["refresh of a stolen token"] = ("""{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"h","userId":"u"}}""", s => s.RefreshAsync(new TokenToRefresh("r", false, null, true), Stop)),
        ["regenerate"] = ("""{"status":"OK","session":{"handle":"h","userId":"u","tenantId":"public","userDataInJWT":{} },"accessToken":{"token":"a","expiry":2,"createdTime":1}}""", s => s.RegenerateAsync("a", "{}", Stop)),
        ["find"] = (
            """{"status":"OK","sessionHandle":"h","userId":"u","tenantId":"public","userDataInJWT":{},"userDataInDatabase":{},"timeCreated":1,"expiry":2}""", async s => await s.FindAsync("h", Stop)),
        ["list"] = ("""{"status":"OK","sessionHandles":["h"]}""", s => s.ListAsync("u", null, Stop)),
        ["update data"] = ("""{"status":"OK"}""", s => s.UpdateDataAsync("h", "{}", Stop)),
        ["update payload"] = ("""{"status":"OK","userDataInJWT":{} }""", s => s.UpdatePayloadAsync("h", "{}", Stop)),
        ["merge payload"] = ("""{"status":"OK","userDataInJWT":{} }""", s => s.MergePayloadAsync("h", "{}", Stop)),
        ["JWT"] = ("""{"status":"OK","jwt":"a.b.c"}""", s => s.CreateJwtAsync(new JwtDraft { Validity = TimeSpan.FromMinutes(1) }, Stop)),
        ["revoke"] = (Revoked, s => s.RevokeAsync("h", Stop)),
        ["revoke all of a user"] = (Revoked, s => s.RevokeUserAsync("u", null, null, Stop)),
    };

    private static string Revoked => """{"status":"OK","sessionHandlesRevoked":["h"],"position":1,"milliseconds":0.5,"holders":{"confirmed":1,"waitedOut":0,"excluded":0}}""";

    public static TheoryData<string> Names => [.. Calls.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task A_member_that_is_missing_is_named(string name)
    {
        var (answer, call) = Calls[name];
        var core = new StubCore { Answer = answer };
        var sessions = core.Sessions();
        await call(sessions);

        foreach (var path in Paths(JsonNode.Parse(answer)!.AsObject()).Where(path => !Optional.Contains($"{path} of {name}")))
        {
            foreach (var change in (Action<JsonObject, string>[])[(parent, member) => parent.Remove(member), (parent, member) => parent[member] = null])
            {
                core.Answer = Changed(answer, path, change);
                var failure = await Assert.ThrowsAsync<GridException>(() => call(sessions));

                Assert.Equal(GridFailure.Refused, failure.Reason);
                Assert.Contains($"'{path}'", failure.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_member_of_another_type_is_named(string name)
    {
        var (answer, call) = Calls[name];
        var core = new StubCore();
        var sessions = core.Sessions();

        // Payload and data may be any JSON.
        foreach (var path in Paths(JsonNode.Parse(answer)!.AsObject()).Where(path => !path.Contains("userData", StringComparison.Ordinal)))
        {
            core.Answer = Changed(answer, path, (parent, member) => parent[member] = new JsonArray(new JsonArray()));
            var failure = await Assert.ThrowsAsync<GridException>(() => call(sessions));

            Assert.Equal(GridFailure.Refused, failure.Reason);
            Assert.Contains($"$.{path}", failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task What_is_no_answer_at_all_is_refused(string name)
    {
        var core = new StubCore();
        var sessions = core.Sessions();
        foreach (var answer in (string[])["", "null", "[]", "\"OK\"", "1", "{", "<html></html>", "\u0000", "{}", """{"status":5}""", """{"status":"NEWS"}""", """{"status":"\ud800"}"""])
        {
            core.Answer = answer;
            Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(() => Calls[name].Call(sessions))).Reason);
        }
    }

    [Theory]
    [InlineData("find", "timeCreated")]
    [InlineData("find", "expiry")]
    [InlineData("create", "accessToken.expiry")]
    [InlineData("create", "accessToken.createdTime")]
    [InlineData("refresh", "refreshToken.expiry")]
    [InlineData("revoke", "milliseconds")]
    public async Task A_time_beyond_all_times_is_named(string name, string path)
    {
        var (answer, call) = Calls[name];
        var core = new StubCore { Answer = Changed(answer, path, (parent, member) => parent[member] = long.MaxValue) };

        var failure = await Assert.ThrowsAsync<GridException>(() => call(core.Sessions()));

        Assert.Equal(GridFailure.Refused, failure.Reason);
        Assert.Contains($"'{path}'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":5}""")]
    [InlineData("""{"keys":[{"kty":"RSA","alg":"RS256","kid":"\ud800","n":"AQAB","e":"AQAB"}]}""")]
    public async Task What_is_no_key_document_is_refused(string answer)
    {
        var sessions = new StubCore { Answer = answer }.Sessions();

        Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(async () => await sessions.ReadKeysAsync(Stop))).Reason);
        Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(async () => await sessions.VerifyAsync(new TokenToCheck("a.b.c", false, null, true), Stop))).Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("no JSON")]
    public async Task What_is_no_JSON_is_refused_before_it_is_sent(string text)
    {
        var sessions = new StubCore().Sessions();
        foreach (var call in (Func<Task>[])
        [
            () => sessions.CreateAsync(new SessionDraft { UserId = "u", PayloadJson = text }, Stop), () => sessions.CreateAsync(new SessionDraft { UserId = "u", DataJson = text }, Stop),
            () => sessions.UpdateDataAsync("h", text, Stop), () => sessions.UpdatePayloadAsync("h", text, Stop), () => sessions.RegenerateAsync("a", text, Stop),
        ])
        {
            var failure = await Assert.ThrowsAsync<GridException>(call);
            Assert.Equal(GridFailure.Refused, failure.Reason);
            Assert.Contains("is not JSON", failure.Message, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string> Paths(JsonObject node) => node.SelectMany(member =>
        member.Value is JsonObject inner ? Paths(inner).Select(path => $"{member.Key}.{path}").Prepend(member.Key) : [member.Key]);

    private static string Changed(string answer, string path, Action<JsonObject, string> change)
    {
        var root = JsonNode.Parse(answer)!.AsObject();
        var names = path.Split('.');
        change(names[..^1].Aggregate(root, (node, name) => node[name]!.AsObject()), names[^1]);
        return root.ToJsonString();
    }
}
