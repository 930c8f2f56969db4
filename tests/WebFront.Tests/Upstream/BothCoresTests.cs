using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.WebFront.Sessions;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>What both cores must know of is told to both, in an order that a repetition can finish.</summary>
[Collection(nameof(UpstreamHost))]
public sealed class BothCoresTests(UpstreamHost host)
{
    private const string Ok = """{"status":"OK","from":"upstream"}""";

    private CoreHost Core => host.Core;

    private StandInCore Behind => host.Behind;

    [Fact]
    public async Task Apps_and_tenants_are_made_in_both_and_the_door_is_grids()
    {
        var appId = NewId();
        var made = await PutAsync("", "app/v2", new { appId, coreConfig = new { access_token_validity = 60, api_keys = "the-key-of-this-app-0001", totp_max_attempts = 3, of_a_later_version = 1 } });

        Assert.Equal("""{"status":"OK","createdNew":true}""", made.Text);
        Assert.Equal("""{"access_token_validity":60,"totp_max_attempts":3,"of_a_later_version":1}""", Behind.Tenants[$"{appId}/public"]["coreConfig"]!.ToJsonString());
        var key = ("api-key", "the-key-of-this-app-0001");
        Assert.Equal(200, (await Core.SendAsync("PUT", $"/appid-{appId}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" }, null, key)).Status);
        Assert.True(Behind.Tenants.ContainsKey($"{appId}/t1"));

        var session = await ToldAsync(() => Core.SendAsync("POST", $"/appid-{appId}/t1/recipe/session", NewSession("u"), null, key));
        Assert.Equal(60_000, session.Json["accessToken"]!["expiry"]!.GetValue<long>() - session.Json["accessToken"]!["createdTime"]!.GetValue<long>(), 4_000d);
    }

    [Fact]
    public async Task What_the_other_core_refuses_is_not_made_here()
    {
        var tenantId = NewId();
        Behind.Answers[$"/recipe/multitenancy/tenant"] = context => StandInCore.WriteAsync(context, context.Request.Method == "PUT" ? "Invalid core config: no\n" : """{"status":"TENANT_NOT_FOUND_ERROR"}""", context.Request.Method == "PUT" ? 400 : 200);
        try
        {
            Assert.Equal((400, "Invalid core config: no\n"), await PutAsync("", "tenant", new { tenantId }) is var put ? (put.Status, put.Text) : default);
            Assert.Equal(400, (await BeginAsync(tenantId, "u")).Status);
        }
        finally
        {
            Behind.Answers.TryRemove("/recipe/multitenancy/tenant", out _);
        }
    }

    [Fact]
    public async Task A_tenant_from_before_grid_is_taken_over_at_first_sight_with_its_session_settings()
    {
        var (appId, tenantId) = (NewId(), NewId());
        Behind.Tenants[$"{appId}/public"] = new JsonObject { ["coreConfig"] = new JsonObject { ["access_token_validity"] = 60, ["of_a_later_version"] = 1 } };
        Behind.Tenants[$"{appId}/{tenantId}"] = [];

        var session = await ToldAsync(() => Core.PostAsync($"/appid-{appId}/{tenantId}/recipe/session", NewSession("u")));

        Assert.Equal("OK", session.Word);
        Assert.Equal(60_000, session.Json["accessToken"]!["expiry"]!.GetValue<long>() - session.Json["accessToken"]!["createdTime"]!.GetValue<long>(), 4_000d);
    }

    [Fact]
    public async Task A_name_that_is_nowhere_is_asked_for_once_and_answered_as_ever()
    {
        var tenantId = NewId();
        Behind.Requests.Clear();
        for (var since = Core.Clock.GetTimestamp(); ; since = Core.Clock.GetTimestamp())
        {
            for (var tries = 0; tries < 5; tries++)
            {
                var answer = await BeginAsync(tenantId, "u");
                Assert.Equal((400, $"AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, public, {tenantId})\n"), (answer.Status, answer.Text));
            }

            if (Core.Clock.GetElapsedTime(since) < UpstreamTenants.MissingFor)
            {
                break;
            }

            // So slow a machine asks again by right.
            tenantId = NewId();
            Behind.Requests.Clear();
        }

        Assert.Single(Behind.Requests);

        // It may be made behind any time.
        Behind.Tenants[$"public/{tenantId}"] = [];
        Core.Clock.Skip(TimeSpan.FromSeconds(10));
        Assert.Equal("OK", (await BeginAsync(tenantId, "u")).Word);
    }

    [Fact]
    public async Task A_removed_tenants_sessions_have_ended_before_the_other_core_hears_of_it_and_stay_ended()
    {
        var tenantId = NewId();
        await PutAsync("", "tenant/v2", new { tenantId });
        var session = await Core.CreateSessionAsync($"/{tenantId}");
        CoreAnswer? then = null;
        Behind.Answers["/recipe/multitenancy/tenant/remove"] = async context =>
        {
            then = await Core.VerifyAsync("", Token(session), checkDatabase: true);
            if (Behind.Tenants.ContainsKey($"public/{tenantId}"))
            {
                // Somebody comes in between: the tenant is taken over once more, and a session begins.
                Assert.Equal("OK", (await BeginAsync(tenantId, "late")).Word);
            }

            Behind.Tenants.TryRemove($"public/{tenantId}", out _);
            await StandInCore.WriteAsync(context, """{"status":"OK","didExist":true}""");
        };
        try
        {
            var removed = await Core.PostAsync("/recipe/multitenancy/tenant/remove", new { tenantId });

            Assert.Equal("""{"status":"OK","didExist":true}""", removed.Text);
            Assert.NotEqual("OK", then!.Word);
            Assert.Equal(400, (await BeginAsync(tenantId, "u")).Status);
            Assert.Equal("""{"status":"OK","sessionHandles":[]}""", (await Core.SendAsync("GET", "/recipe/session/user?userId=late")).Text);
        }
        finally
        {
            Behind.Answers.TryRemove("/recipe/multitenancy/tenant/remove", out _);
        }
    }

    [Fact]
    public async Task A_removal_that_the_other_core_did_not_hear_of_is_finished_by_repeating_it()
    {
        var tenantId = NewId();
        await PutAsync("", "tenant/v2", new { tenantId });
        var session = await Core.CreateSessionAsync($"/{tenantId}");
        Behind.Answers["/recipe/multitenancy/tenant/remove"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        var failed = await Core.PostAsync("/recipe/multitenancy/tenant/remove", new { tenantId });
        Behind.Answers.TryRemove("/recipe/multitenancy/tenant/remove", out _);

        Assert.Equal(503, failed.Status);
        Assert.NotEqual("OK", (await Core.VerifyAsync("", Token(session), checkDatabase: true)).Word);
        Assert.Equal("""{"status":"OK","didExist":true}""", (await Core.PostAsync("/recipe/multitenancy/tenant/remove", new { tenantId })).Text);
        Core.Clock.Skip(TimeSpan.FromSeconds(10));
        Assert.Equal(400, (await BeginAsync(tenantId, "u")).Status);
    }

    [Fact]
    public async Task An_app_with_tenants_is_refused_behind_before_anybody_is_signed_out()
    {
        var (appId, tenantId) = (NewId(), NewId());
        await PutAsync("", "app/v2", new { appId });
        var session = await Core.CreateSessionAsync($"/appid-{appId}");
        Behind.Tenants[$"{appId}/{tenantId}"] = [];
        Behind.Answers["/recipe/multitenancy/app/remove"] = context => StandInCore.WriteAsync(context, "Please delete all tenants\n", 403);

        Assert.Equal(403, (await Core.PostAsync("/recipe/multitenancy/app/remove", new { appId })).Status);
        Assert.Equal("OK", (await Core.VerifyAsync($"/appid-{appId}", Token(session), checkDatabase: true)).Word);

        Behind.Answers.TryRemove("/recipe/multitenancy/app/remove", out _);
        Behind.Tenants.TryRemove($"{appId}/{tenantId}", out _);
        Assert.Equal("""{"status":"OK","didExist":true}""", (await Core.PostAsync("/recipe/multitenancy/app/remove", new { appId })).Text);
        Core.Clock.Skip(TimeSpan.FromSeconds(10));
        Assert.Equal(400, (await ToldAsync(() => Core.VerifyAsync($"/appid-{appId}", Token(session), checkDatabase: true))).Status);
    }

    [Fact]
    public async Task A_removed_users_sessions_end_first_those_of_linked_accounts_too()
    {
        var (user, linked) = (NewId(), NewId());
        var first = await Core.CreateSessionAsync(userId: user);
        var second = await Core.CreateSessionAsync(userId: linked);
        Behind.Answers["/user/id"] = context => StandInCore.WriteAsync(
            context, $$$"""{"status":"OK","user":{"id":"{{{user}}}","loginMethods":[{"recipeUserId":"{{{user}}}"},{"recipeUserId":"{{{linked}}}"}]}}""");
        string[] then = [];
        Behind.Answers["/user/remove"] = async context =>
        {
            then = [(await Core.VerifyAsync("", Token(first), checkDatabase: true)).Word, (await Core.VerifyAsync("", Token(second), checkDatabase: true)).Word];
            await StandInCore.WriteAsync(context, Ok);
        };
        try
        {
            Assert.Equal(Ok, (await Core.PostAsync("/user/remove", new { userId = user })).Text);
            Assert.Equal(["UNAUTHORISED", "UNAUTHORISED"], then);
        }
        finally
        {
            Behind.Answers.Clear();
        }
    }

    [Fact]
    public async Task A_user_who_could_not_be_removed_behind_is_signed_out_and_the_call_fails()
    {
        var user = NewId();
        var session = await Core.CreateSessionAsync(userId: user);
        Behind.Answers["/user/remove"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        try
        {
            Assert.Equal(503, (await Core.PostAsync("/user/remove", new { userId = user })).Status);
            Assert.Equal("UNAUTHORISED", (await Core.VerifyAsync("", Token(session), checkDatabase: true)).Word);
        }
        finally
        {
            Behind.Answers.Clear();
        }

        Assert.Equal("OK", (await Core.PostAsync("/user/remove", new { userId = user })).Word);
    }

    [Fact]
    public async Task An_account_that_is_linked_or_unlinked_or_leaves_a_tenant_begins_anew()
    {
        foreach (var path in new[] { "/recipe/accountlinking/user/link", "/recipe/accountlinking/user/unlink", "/recipe/multitenancy/tenant/user/remove" })
        {
            var user = NewId();
            var session = await Core.CreateSessionAsync(userId: user);
            Assert.Equal(Ok, (await Core.PostAsync(path, new { recipeUserId = user, primaryUserId = "primary" })).Text);
            Assert.Equal("UNAUTHORISED", (await Core.VerifyAsync("", Token(session), checkDatabase: true)).Word);
        }
    }

    [Fact]
    public async Task A_link_that_is_refused_signs_nobody_out()
    {
        var user = NewId();
        var session = await Core.CreateSessionAsync(userId: user);
        Behind.Answers["/recipe/accountlinking/user/link"] = context => StandInCore.WriteAsync(context, """{"status":"INPUT_USER_IS_NOT_A_PRIMARY_USER"}""");
        Assert.Equal("INPUT_USER_IS_NOT_A_PRIMARY_USER", (await Core.PostAsync("/recipe/accountlinking/user/link", new { recipeUserId = user, primaryUserId = "p" })).Word);
        Behind.Answers.Clear();
        Assert.Equal("OK", (await Core.VerifyAsync("", Token(session), checkDatabase: true)).Word);
    }

    [Fact]
    public async Task Sessions_of_linked_accounts_are_listed_and_revoked_together_unless_one_account_is_asked_for()
    {
        var (user, linked) = (NewId(), NewId());
        var first = Handle(await Core.CreateSessionAsync(userId: user));
        var second = Handle(await Core.CreateSessionAsync(userId: linked));
        Behind.Answers["/user/id"] = context => StandInCore.WriteAsync(
            context, $$$"""{"status":"OK","user":{"id":"{{{user}}}","loginMethods":[{"recipeUserId":"{{{user}}}"},{"recipeUserId":"{{{linked}}}"}]}}""");
        try
        {
            Assert.Equal([first, second], await ListAsync($"userId={user}"));
            Assert.Equal([second], await ListAsync($"userId={linked}&fetchSessionsForAllLinkedAccounts=false"));

            // While nobody says who else it is, the named one's end all the same.
            var third = await Core.CreateSessionAsync(userId: user);
            Behind.Answers["/user/id"] = context => StandInCore.WriteAsync(context, "Invalid API key\n", 401);
            Assert.Equal(503, (await Core.PostAsync("/recipe/session/remove", new { userId = user })).Status);
            Assert.Equal("UNAUTHORISED", (await Core.VerifyAsync("", Token(third), checkDatabase: true)).Word);
            Assert.Equal([second], await ListAsync($"userId={linked}&fetchSessionsForAllLinkedAccounts=false"));

            Behind.Answers["/user/id"] = context => StandInCore.WriteAsync(context, $$$"""{"status":"OK","user":{"id":"{{{user}}}","loginMethods":[{"recipeUserId":"{{{linked}}}"}]}}""");
            var removed = await Core.PostAsync("/recipe/session/remove", new { userId = user });
            Assert.Equal([second], removed.Json["sessionHandlesRevoked"]!.AsArray().Select(handle => handle!.GetValue<string>()));
        }
        finally
        {
            Behind.Answers.Clear();
        }

        async Task<IEnumerable<string>> ListAsync(string query) =>
            (await Core.SendAsync("GET", $"/recipe/session/user?{query}")).Json["sessionHandles"]!.AsArray().Select(handle => handle!.GetValue<string>());
    }

    [Fact]
    public async Task A_user_with_sessions_gets_another_id_only_by_force()
    {
        var user = NewId();
        await Core.CreateSessionAsync(userId: user);

        var refused = await Core.PostAsync("/recipe/userid/map", new { superTokensUserId = user, externalUserId = "x" });
        Assert.Equal((400, "UserId is already in use in Session recipe\n"), (refused.Status, refused.Text));
        Assert.Equal(Ok, (await Core.PostAsync("/recipe/userid/map", new { superTokensUserId = user, externalUserId = "x", force = true })).Text);
        Assert.Equal(Ok, (await Core.PostAsync("/recipe/userid/map", new { superTokensUserId = NewId(), externalUserId = "x" })).Text);
    }

    [Fact]
    public async Task An_id_is_taken_away_only_by_force_whichever_of_the_two_sessions_hold()
    {
        var (user, external) = (NewId(), NewId());
        await Core.CreateSessionAsync(userId: external);
        Behind.Answers["/recipe/userid/map"] = context => StandInCore.WriteAsync(
            context,
            context.Request.Query["userId"] == user && context.Request.Query["userIdType"] == "SUPERTOKENS"
                ? $$"""{"status":"OK","superTokensUserId":"{{user}}","externalUserId":"{{external}}"}"""
                : """{"status":"UNKNOWN_MAPPING_ERROR"}""");
        try
        {
            var refused = await Core.PostAsync("/recipe/userid/map/remove", new { userId = user, userIdType = "SUPERTOKENS" });
            Assert.Equal((400, "UserId is already in use in Session recipe\n"), (refused.Status, refused.Text));
            Assert.Equal(Ok, (await Core.PostAsync("/recipe/userid/map/remove", new { userId = user, userIdType = "SUPERTOKENS", force = true })).Text);
            Assert.Equal(Ok, (await Core.PostAsync("/recipe/userid/map/remove", new { userId = NewId() })).Text);
        }
        finally
        {
            Behind.Answers.Clear();
        }
    }

    [Theory]
    [InlineData(500, "Internal Error")]
    [InlineData(502, "<html><h1>502 Bad Gateway</h1></html>")]
    [InlineData(404, "Not found")]
    [InlineData(429, "")]
    [InlineData(200, "<html>It works!</html>")]
    public async Task An_error_of_the_other_core_is_not_taken_for_a_no(int status, string text)
    {
        var (user, appId, tenantId) = (NewId(), NewId(), NewId());
        await PutAsync("", "app/v2", new { appId });
        var session = await Core.CreateSessionAsync($"/appid-{appId}");
        Behind.Tenants[$"public/{tenantId}"] = [];
        RequestDelegate fails = context => StandInCore.WriteAsync(context, text, status);
        string[] asked = ["/user/id", "/recipe/userid/map", "/recipe/multitenancy/tenant/list", "/recipe/multitenancy/tenant"];
        try
        {
            foreach (var path in asked)
            {
                Behind.Answers[path] = fails;
            }

            // Not everything has ended, as far as anybody knows.
            await RefusedAsync(Core.PostAsync("/recipe/session/remove", new { userId = user }));
            await RefusedAsync(Core.PostAsync("/user/remove", new { userId = user }));
            await RefusedAsync(Core.SendAsync("GET", $"/recipe/session/user?userId={user}"));
            await RefusedAsync(Core.PostAsync("/recipe/userid/map/remove", new { userId = user }));
            Assert.DoesNotContain(Behind.Requests, seen => seen.Text.Contains(user, StringComparison.Ordinal));

            // The app may have tenants: then its removal is refused behind.
            await RefusedAsync(Core.PostAsync("/recipe/multitenancy/app/remove", new { appId }));
            Assert.Equal("OK", (await Core.VerifyAsync($"/appid-{appId}", Token(session), checkDatabase: true)).Word);
            await RefusedAsync(BeginAsync(tenantId, user, isRepeated: false));
        }
        finally
        {
            Behind.Answers.Clear();
        }

        // Nor is it remembered.
        Assert.Equal("OK", (await BeginAsync(tenantId, user)).Word);

        async Task RefusedAsync(Task<CoreAnswer> call)
        {
            var answer = await call;
            Assert.Equal(503, answer.Status);
            Assert.Contains("answers with an error of its own", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_tenant_that_was_taken_over_stays_when_the_second_look_at_it_fails()
    {
        var tenantId = NewId();
        Behind.Tenants[$"public/{tenantId}"] = [];
        var looks = 0;
        Behind.Answers["/recipe/multitenancy/tenant"] = context => Interlocked.Increment(ref looks) == 1
            ? StandInCore.WriteAsync(context, """{"status":"OK","coreConfig":{}}""")
            : StandInCore.WriteAsync(context, "Internal Error", 500);
        try
        {
            Assert.Equal(503, (await BeginAsync(tenantId, "u", isRepeated: false)).Status);

            // It was not removed, with the sessions that others may have begun there: nobody has to ask for it again.
            Assert.Equal("OK", (await BeginAsync(tenantId, "u")).Word);
        }
        finally
        {
            Behind.Answers.Clear();
        }
    }

    [Fact]
    public async Task A_session_of_a_tenant_that_no_path_has_named_is_one_of_a_tenant()
    {
        var (tenantId, unknown) = (NewId(), NewId());
        string handle = $"{Guid.NewGuid():D}_{tenantId}", elsewhere = $"{Guid.NewGuid():D}_{unknown}";
        Behind.Tenants[$"public/{tenantId}"] = [];

        // There is no such session, but such a tenant: a client that is told otherwise takes it for a failure of the whole.
        Assert.Equal("UNAUTHORISED", (await ToldAsync(() => Core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}"))).Word);
        Assert.Equal("""{"status":"OK","sessionHandlesRevoked":[]}""", (await Core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } })).Text);
        Assert.Equal(400, (await ToldAsync(() => Core.SendAsync("GET", $"/recipe/session?sessionHandle={elsewhere}"))).Status);

        // What it knows nothing of while that core only fails, it says nothing of.
        Behind.Answers["/recipe/multitenancy/tenant"] = context => StandInCore.WriteAsync(context, "Internal Error", 500);
        Assert.Equal(503, (await Core.SendAsync("GET", $"/recipe/session?sessionHandle={Guid.NewGuid():D}_{NewId()}")).Status);
        Behind.Answers.Clear();
    }

    [Fact]
    public async Task A_token_of_a_tenant_that_this_silo_has_not_heard_of_yet_signs_nobody_out()
    {
        var tenantId = NewId();
        await PutAsync("", "tenant/v2", new { tenantId });
        var session = await Core.CreateSessionAsync($"/{tenantId}");
        var app = (await Core.Services.GetRequiredService<IAppDirectory>().FindAsync(new AppKey("", AppKey.PublicId), TestContext.Current.CancellationToken))!;
        app = app with { TenantIds = app.TenantIds.Remove(tenantId) };
        Assert.True(SessionHandle.TryParse(Handle(session), out var handle));

        foreach (var checkDatabase in new[] { false, true })
        {
            var check = new TokenToCheck(Token(session), CheckAntiCsrf: false, AntiCsrf: null, CheckSession: true);
            Assert.Equal(SessionVerdict.Ok, (await Core.Services.GetRequiredService<SessionVerifier>().VerifyAsync(app, check, checkDatabase, ClientRules.Newest)).Check.Verdict);
        }

        Assert.NotNull(await Core.Services.GetRequiredService<StoredSessions>().FindAsync(app, handle));
        var refresh = new TokenToRefresh(session["refreshToken"]!["token"]!.GetValue<string>(), EnableAntiCsrf: false, AntiCsrf: null, UseDynamicSigningKey: true);
        Assert.Equal(SessionVerdict.Ok, (await Core.Services.GetRequiredService<SessionRefresher>().RefreshAsync(app, refresh, null, ClientRules.Newest)).Verdict);
    }

    [Fact]
    public async Task Clients_of_before_4_0_have_linked_accounts_asked_for_in_a_version_that_knows_them()
    {
        var user = NewId();
        var versions = await Core.SendAsync("GET", "/apiversion");

        // A starved machine may take longer than there is patience for.
        for (var tries = 0; tries < 60 && versions.Status == 504; tries++)
        {
            versions = await Core.SendAsync("GET", "/apiversion");
        }

        Assert.Equal(200, versions.Status);
        Behind.Requests.Clear();

        Assert.Equal(200, (await Core.SendAsync("GET", $"/recipe/session/user?userId={user}", null, "3.0")).Status);

        Assert.Equal("5.4", Assert.Single(Behind.For("/user/id")).Headers["cdi-version"]);
    }

    private Task<CoreAnswer> PutAsync(string prefix, string what, object body) => Core.SendAsync("PUT", $"{prefix}/recipe/multitenancy/{what}", body);

    private Task<CoreAnswer> BeginAsync(string tenantId, string userId, bool isRepeated = true)
    {
        Task<CoreAnswer> Begin() => Core.PostAsync($"/{tenantId}/recipe/session", NewSession(userId));
        return isRepeated ? ToldAsync(Begin) : Begin();
    }

    // A starved machine may take longer over a name that Grid has not seen, or a new app's keys, than there is patience for.
    private static async Task<CoreAnswer> ToldAsync(Func<Task<CoreAnswer>> call)
    {
        for (var tries = 0; ; tries++)
        {
            var answer = await call();
            if (answer.Status is not (503 or 504))
            {
                return answer;
            }

            Assert.True(tries < 1200, answer.Text);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static object NewSession(string userId) => new { userId, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } };

    private static string Token(JsonObject session) => session["accessToken"]!["token"]!.GetValue<string>();

    private static string Handle(JsonObject session) => session["session"]!["handle"]!.GetValue<string>();

    private static string NewId() => Guid.NewGuid().ToString("D");
}
