using System.Text.Json.Nodes;
using Grid.Abstractions.Sessions;

namespace Grid.WebFront.Tests;

/// <summary>The session operations of docs/protocol/core.md, body by body.</summary>
public sealed class SessionWireTests(CoreHost core)
{
    private const string Ended = """{"status":"UNAUTHORISED","message":"Session does not exist."}""";

    [Fact]
    public async Task A_created_session_has_the_protocols_members()
    {
        var created = await core.PostAsync("/recipe/session", """{"userId":" u 1 ","enableAntiCsrf":true,"userDataInJWT":{"b":1.0,"a":"\u00e9"},"userDataInDatabase":{"x":1e3},"unknown":[]}""");

        Assert.Equal((200, "application/json; charset=UTF-8"), (created.Status, created.ContentType));
        Assert.Equal(["status", "session", "accessToken", "refreshToken", "antiCsrfToken"], created.Json.Select(m => m.Key));
        var session = created.Json["session"]!.AsObject();
        Assert.Equal(["handle", "userId", "recipeUserId", "userDataInJWT", "tenantId"], session.Select(m => m.Key));
        Assert.Equal((" u 1 ", " u 1 ", "public"), ($"{session["userId"]}", $"{session["recipeUserId"]}", $"{session["tenantId"]}"));
        Assert.Contains("""{"b":1.0,"a":"\u00e9"}""", created.Text, StringComparison.Ordinal);
        Assert.Equal(["token", "expiry", "createdTime"], created.Json["accessToken"]!.AsObject().Select(m => m.Key));
        Assert.Equal(0, created.Json["accessToken"]!["expiry"]!.GetValue<long>() % 1000);
        var read = await core.SendAsync("GET", $"/recipe/session?sessionHandle={session["handle"]}");
        Assert.Equal(
            ["status", "sessionHandle", "userId", "recipeUserId", "tenantId", "userDataInDatabase", "userDataInJWT", "expiry", "timeCreated"],
            read.Json.Select(m => m.Key));
        Assert.Contains("""{"x":1e3}""", read.Text, StringComparison.Ordinal);
        Assert.Equal(created.Json["refreshToken"]!["expiry"]!.GetValue<long>(), read.Json["expiry"]!.GetValue<long>());
        Assert.Equal(144_000 * 60_000L, read.Json["expiry"]!.GetValue<long>() - read.Json["timeCreated"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("2.21", "3", false, false)]
    [InlineData("3.0", "4", true, false)]
    [InlineData("4.0", "5", true, true)]
    [InlineData("5.4", "5", true, true)]
    [InlineData("5.6", "5", true, true)]
    public async Task Answers_and_tokens_are_those_of_the_version(string version, string tokenVersion, bool tenant, bool recipeUser)
    {
        var created = await core.CreateSessionAsync(version: version);

        Assert.Equal(tenant, created["session"]!.AsObject().ContainsKey("tenantId"));
        Assert.Equal(recipeUser, created["session"]!.AsObject().ContainsKey("recipeUserId"));
        var header = Token(created, "accessToken").Split('.')[0];
        Assert.Contains($"\"version\":\"{tokenVersion}\"", System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(header)), StringComparison.Ordinal);
        Assert.Equal("OK", (await core.VerifyAsync("", Token(created, "accessToken"), checkDatabase: true, version)).Word);
    }

    [Fact]
    public async Task Protected_claims_are_refused_wherever_a_payload_comes_in()
    {
        const string text = "400 The user payload contains protected field\n";
        var session = await core.CreateSessionAsync();
        Assert.Equal(text, (await core.PostAsync("/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { sub = 1 }, userDataInDatabase = new { } })).Word);
        Assert.Equal(text, (await core.SendAsync("PUT", "/recipe/jwt/data", new { sessionHandle = Handle(session), userDataInJWT = new { rsub = 1 } })).Word);
        Assert.Equal(text, (await core.PostAsync("/recipe/session/regenerate", new { accessToken = Token(session, "accessToken"), userDataInJWT = new { exp = 1 } })).Word);
    }

    [Fact]
    public async Task A_shorter_life_may_be_asked_for_from_5_6_on()
    {
        async Task<CoreAnswer> Create(long validity, string version) => await core.PostAsync(
            "/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, accessTokenValidity = validity }, version);

        var shorter = (await Create(60_000, "5.6")).Json["accessToken"]!;
        Assert.InRange(shorter["expiry"]!.GetValue<long>() - shorter["createdTime"]!.GetValue<long>(), 55_000, 61_000);
        Assert.Equal(400, (await Create(3_600_001, "5.6")).Status);
        Assert.Equal("OK", (await Create(3_600_001, "5.4")).Word);
    }

    [Fact]
    public async Task Verify_newer_answers_without_a_new_token_and_tells_of_a_changed_payload()
    {
        var session = await core.CreateSessionAsync();
        var token = Token(session, "accessToken");
        Assert.Equal(
            $$$"""{"status":"OK","session":{"handle":"{{{Handle(session)}}}","userId":"u1","recipeUserId":"u1","userDataInJWT":{"a":1},"tenantId":"public"}}""",
            (await core.VerifyAsync("", token)).Text);
        Assert.EndsWith(",\"payloadUpdateAvailable\":false}", (await core.VerifyAsync("", token, checkDatabase: true)).Text, StringComparison.Ordinal);

        await core.SendAsync("PUT", "/recipe/jwt/data", new { sessionHandle = Handle(session), userDataInJWT = new { a = 2 } });

        var changed = await core.VerifyAsync("", token, checkDatabase: true);
        Assert.EndsWith(",\"payloadUpdateAvailable\":true}", changed.Text, StringComparison.Ordinal);
        Assert.False(changed.Json.ContainsKey("accessToken"));
    }

    [Fact]
    public async Task Verify_older_hands_out_a_new_token_when_the_stored_payload_differs()
    {
        var session = await core.CreateSessionAsync(version: "5.4");
        await core.SendAsync("PUT", "/recipe/jwt/data", new { sessionHandle = Handle(session), userDataInJWT = new { a = 2 } });

        Assert.False((await core.VerifyAsync("", Token(session, "accessToken"), checkDatabase: false, "5.4")).Json.ContainsKey("accessToken"));
        var verified = await core.VerifyAsync("", Token(session, "accessToken"), checkDatabase: true, "5.4");

        Assert.Equal("""{"a":2}""", verified.Json["session"]!["userDataInJWT"]!.ToJsonString());
        Assert.Equal("""{"a":2}""", (await core.VerifyAsync("", Token(verified.Json, "accessToken"), false, "5.4")).Json["session"]!["userDataInJWT"]!.ToJsonString());
    }

    [Fact]
    public async Task Verify_refuses_what_is_wrong_expired_or_without_the_anti_csrf_token()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 60 });
        var session = await core.CreateSessionAsync(app, antiCsrf: true);
        var token = Token(session, "accessToken");
        var stranger = await core.CreateSessionAsync();

        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, "not.a.token")).Word);
        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, Token(stranger, "accessToken"))).Word);
        Assert.Equal("""{"status":"TRY_REFRESH_TOKEN","message":"anti-csrf check failed"}""", (await core.VerifyAsync(app, token, enableAntiCsrf: true)).Text);
        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, token, enableAntiCsrf: true, antiCsrfToken: "guess")).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, token, enableAntiCsrf: true, antiCsrfToken: $"{session["antiCsrfToken"]}")).Word);
        core.Clock.Skip(TimeSpan.FromSeconds(61));
        Assert.Equal("""{"status":"TRY_REFRESH_TOKEN","message":"Access token expired"}""", (await core.VerifyAsync(app, token)).Text);
    }

    [Fact]
    public async Task Refresh_newer_rotates_gives_a_grace_and_then_calls_theft()
    {
        var session = await core.CreateSessionAsync();
        var first = Token(session, "refreshToken");
        var second = await core.RefreshAsync("", first);
        Assert.Equal(["status", "session", "accessToken", "refreshToken"], second.Json.Select(m => m.Key));
        Assert.Equal("OK", (await core.VerifyAsync("", Token(second.Json, "accessToken"), checkDatabase: true)).Word);

        var again = await core.RefreshAsync("", first);
        Assert.Equal("OK", again.Word);
        var displaced = await core.RefreshAsync("", Token(second.Json, "refreshToken"));

        Assert.Equal(
            $$"""{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"{{Handle(session)}}","userId":"u1","recipeUserId":"u1"},"recentTokenReuseSubtype":"ORPHANED_BRANCH"}""",
            displaced.Text);
        Assert.Equal("""{"status":"UNAUTHORISED","message":"Session missing in db or has expired"}""", (await core.RefreshAsync("", Token(again.Json, "refreshToken"))).Text);
        Assert.Equal(
            """{"status":"UNAUTHORISED","message":"Either the session has ended or has been blacklisted"}""",
            (await core.VerifyAsync("", Token(again.Json, "accessToken"), checkDatabase: true)).Text);
    }

    [Fact]
    public async Task A_token_used_after_the_grace_is_theft_or_by_choice_unauthorised()
    {
        var strict = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0 });
        var mild = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0, recent_token_reuse_behaviour = "UNAUTHORISED" });
        foreach (var (app, word) in new[] { (strict, "TOKEN_THEFT_DETECTED"), (mild, "UNAUTHORISED") })
        {
            var session = await core.CreateSessionAsync(app);
            await core.RefreshAsync(app, Token(session, "refreshToken"));
            core.Clock.Skip(TimeSpan.FromSeconds(1));

            var reused = await core.RefreshAsync(app, Token(session, "refreshToken"));

            Assert.Equal((word, "RECENT_PREV"), (reused.Word, $"{reused.Json["recentTokenReuseSubtype"]}"));
            Assert.Equal(Ended, (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={Handle(session)}")).Text);
        }
    }

    [Fact]
    public async Task A_rotated_out_access_token_fails_the_database_check()
    {
        var session = await core.CreateSessionAsync();
        var second = await core.RefreshAsync("", Token(session, "refreshToken"));
        var third = await core.RefreshAsync("", Token(second.Json, "refreshToken"));
        Assert.Equal("OK", third.Word);

        Assert.Equal(
            """{"status":"UNAUTHORISED","message":"rotated-out token branch; refresh required"}""",
            (await core.VerifyAsync("", Token(session, "accessToken"), checkDatabase: true)).Text);
        Assert.Equal("OK", (await core.VerifyAsync("", Token(session, "accessToken"))).Word);
    }

    [Fact]
    public async Task Refresh_older_gives_a_child_that_its_first_use_makes_current()
    {
        var session = await core.CreateSessionAsync(version: "5.4");
        var child = await core.RefreshAsync("", Token(session, "refreshToken"), "5.4");
        Assert.Equal("OK", (await core.RefreshAsync("", Token(session, "refreshToken"), "5.4")).Word);

        var firstUse = await core.VerifyAsync("", Token(child.Json, "accessToken"), checkDatabase: false, "5.4");
        Assert.True(firstUse.Json.ContainsKey("accessToken"));
        var settled = await core.VerifyAsync("", Token(firstUse.Json, "accessToken"), checkDatabase: false, "5.4");
        Assert.False(settled.Json.ContainsKey("accessToken"));

        var theft = await core.RefreshAsync("", Token(session, "refreshToken"), "5.4");
        Assert.Equal($$$"""{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"{{{Handle(session)}}}","userId":"u1","recipeUserId":"u1"}}""", theft.Text);
        Assert.Equal("OK", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={Handle(session)}")).Word);
    }

    [Fact]
    public async Task Older_and_newer_clients_take_turns_on_one_session()
    {
        var token = Token(await core.CreateSessionAsync(version: "5.4"), "refreshToken");
        foreach (var version in new[] { "5.4", "5.6", "3.0", "5.6", "5.6", "5.4", "5.4" })
        {
            var refreshed = await core.RefreshAsync("", token, version);
            Assert.Equal("OK", refreshed.Word);
            Assert.Equal("OK", (await core.VerifyAsync("", Token(refreshed.Json, "accessToken"), checkDatabase: true, version)).Word);
            token = Token(refreshed.Json, "refreshToken");
        }
    }

    [Fact]
    public async Task Refresh_wants_its_fields_its_app_and_the_anti_csrf_token()
    {
        var session = await core.CreateSessionAsync(antiCsrf: true);
        var token = Token(session, "refreshToken");
        Assert.Equal("400 Field name 'useDynamicSigningKey' is invalid in JSON input\n", (await core.PostAsync("/recipe/session/refresh", new { refreshToken = token, enableAntiCsrf = false }, "5.0")).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync("", "garbage")).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(await core.CreateAppAsync(), token)).Word);
        Assert.Equal("""{"status":"UNAUTHORISED","message":"Anti CSRF token missing, or not matching"}""", (await core.RefreshAsync("", token, enableAntiCsrf: true)).Text);
        var refreshed = await core.RefreshAsync("", token, enableAntiCsrf: true, antiCsrfToken: $"{session["antiCsrfToken"]}");
        Assert.NotEqual($"{session["antiCsrfToken"]}", $"{refreshed.Json["antiCsrfToken"]}");
        Assert.Equal("OK", (await core.PostAsync("/recipe/session/refresh", new { refreshToken = Token(refreshed.Json, "refreshToken"), enableAntiCsrf = false }, "4.0")).Word);
    }

    [Fact]
    public async Task A_refresh_may_be_joined_within_five_seconds_at_most()
    {
        var token = Token(await core.CreateSessionAsync(), "refreshToken");
        async Task<CoreAnswer> Refresh(object joinWithin) =>
            await core.PostAsync("/recipe/session/refresh", new { refreshToken = token, enableAntiCsrf = false, useDynamicSigningKey = true, joinWithin });

        foreach (var beyond in new[] { -1, 5001, long.MinValue, long.MaxValue })
        {
            Assert.Equal("400 Field name 'joinWithin' must be between 0 and 5000 milliseconds\n", (await Refresh(beyond)).Word);
        }

        Assert.Equal("400 Field name 'joinWithin' is invalid in JSON input\n", (await Refresh("2000")).Word);

        // What was refused has used nothing up: the first that is good rotates, the second joins it, 0 rotates again.
        var rotated = await Refresh(5000);
        Assert.Equal("OK", rotated.Word);
        Assert.Equal(Token(rotated.Json, "refreshToken"), Token((await Refresh(5000)).Json, "refreshToken"));
        var again = await Refresh(0);
        Assert.Equal("OK", again.Word);
        Assert.NotEqual(Token(rotated.Json, "refreshToken"), Token(again.Json, "refreshToken"));
    }

    [Fact]
    public async Task The_key_kind_is_the_sessions_until_a_refresh_changes_it()
    {
        var created = await core.PostAsync("/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, useDynamicSigningKey = false });
        Assert.StartsWith("s-", Kid(created.Json), StringComparison.Ordinal);
        var kept = await core.PostAsync("/recipe/session/refresh", new { refreshToken = Token(created.Json, "refreshToken"), enableAntiCsrf = false }, "4.0");
        Assert.StartsWith("s-", Kid(kept.Json), StringComparison.Ordinal);
        Assert.StartsWith("d-", Kid((await core.RefreshAsync("", Token(kept.Json, "refreshToken"))).Json), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Regenerate_keeps_the_life_and_stores_the_payload()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 60 });
        var session = await core.CreateSessionAsync(app);
        var token = Token(session, "accessToken");

        var regenerated = await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = token, userDataInJWT = new { z = 9 } });
        Assert.Equal(session["accessToken"]!["expiry"]!.GetValue<long>(), regenerated.Json["accessToken"]!["expiry"]!.GetValue<long>());
        var verified = await core.VerifyAsync(app, Token(regenerated.Json, "accessToken"), checkDatabase: true);
        Assert.Equal(("""{"z":9}""", false), (verified.Json["session"]!["userDataInJWT"]!.ToJsonString(), verified.Json["payloadUpdateAvailable"]!.GetValue<bool>()));

        core.Clock.Skip(TimeSpan.FromSeconds(61));
        var late = await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = token });
        Assert.Equal(("OK", false), (late.Word, late.Json.ContainsKey("accessToken")));
        await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { Handle(session) } });
        Assert.Equal(Ended, (await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = token })).Text);
        Assert.Equal(Ended, (await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = "garbage" })).Text);
    }

    [Fact]
    public async Task Data_is_updated_where_there_is_a_session()
    {
        var session = await core.CreateSessionAsync();
        Assert.Equal("""{"status":"OK"}""", (await core.SendAsync("PUT", "/recipe/session/data", """{"sessionHandle":"HANDLE","userDataInDatabase":{"k":1.10}}""".Replace("HANDLE", Handle(session), StringComparison.Ordinal))).Text);
        Assert.Contains("""{"k":1.10}""", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={Handle(session)}")).Text, StringComparison.Ordinal);
        Assert.Equal(Ended, (await core.SendAsync("PUT", "/recipe/session/data", new { sessionHandle = Guid.NewGuid(), userDataInDatabase = new { } })).Text);
        Assert.Equal(Ended, (await core.SendAsync("PUT", "/recipe/jwt/data", new { sessionHandle = "nonsense", userDataInJWT = new { } })).Text);
    }

    [Fact]
    public async Task Lists_and_removals_follow_user_and_tenant()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var here = Handle(await core.CreateSessionAsync(app));
        var there = Handle(await core.CreateSessionAsync($"{app}/t1"));
        Assert.EndsWith("_t1", there, StringComparison.Ordinal);

        Assert.Equal([here, there], await HandlesAsync($"{app}/recipe/session/user?userId=u1"));
        Assert.Equal([there], await HandlesAsync($"{app}/t1/recipe/session/user?userId=u1&fetchAcrossAllTenants=false"));
        Assert.Equal([here, there], await HandlesAsync($"{app}/t1/recipe/session/user?userId=u1", "4.0"));
        Assert.Equal([here], await HandlesAsync($"{app}/recipe/session/user?userId=u1&fetchAcrossAllTenants=false"));
        Assert.Equal("OK", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={there}")).Word);

        var one = await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { there, there, "nonsense", $"{Guid.NewGuid()}" } });
        Assert.Equal($$"""{"status":"OK","sessionHandlesRevoked":["{{there}}"]}""", one.Text);
        var all = await core.PostAsync($"{app}/recipe/session/remove", new { userId = "u1" });
        Assert.Equal($$"""{"status":"OK","sessionHandlesRevoked":["{{here}}"]}""", all.Text);
        Assert.Equal("""{"status":"OK","sessionHandlesRevoked":[]}""", (await core.PostAsync($"{app}/recipe/session/remove", new { userId = "u1" })).Text);
    }

    [Fact]
    public async Task Removals_take_a_user_or_handles()
    {
        const string either = "400 Invalid JSON input - use one of userId or sessionHandles array\n";
        Assert.Equal(either, (await core.PostAsync("/recipe/session/remove", new { })).Word);
        Assert.Equal(either, (await core.PostAsync("/recipe/session/remove", new { userId = "u", sessionHandles = Array.Empty<string>() })).Word);
        Assert.Equal(400, (await core.PostAsync("/recipe/session/remove", new { sessionHandles = Array.Empty<string>(), revokeAcrossAllTenants = true })).Status);
        Assert.Equal("""{"status":"OK","sessionHandlesRevoked":[]}""", (await core.PostAsync("/recipe/session/remove", new { sessionHandles = Enumerable.Repeat("x", 1001) })).Text);
        Assert.Equal(400, (await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { 1 } })).Status);
    }

    [Fact]
    public async Task As_many_sessions_end_in_one_call_as_its_body_names_in_several_transactions()
    {
        var app = await core.CreateAppAsync();
        var named = Enumerable.Range(0, 2_500).Select(_ => $"{Guid.NewGuid():D}").ToArray();
        var sessions = new List<string>();
        foreach (var at in (int[])[0, 999, 1_000, 2_499])
        {
            sessions.Add(named[at] = Handle(await core.CreateSessionAsync(app)));
        }

        // Named twice, in two transactions.
        named[2_000] = named[0];
        var lines = core.Log.Count(3300);

        var revoked = await core.PostAsync($"{app}/session/revoke", new { sessionHandles = named });

        Assert.Equal(sessions, revoked.Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}"));
        Assert.True(revoked.Json["position"]!.GetValue<long>() > 0);
        Assert.Equal(lines + 1, core.Log.Count(3300));
        Assert.Equal([1_000, 1_000, 499], core.Store.Revocations(app["/appid-".Length..]).Select(r => r.Scope).OfType<RevocationScope.Named>().Select(scope => scope.Sessions.Length));
        Assert.Equal("""{"status":"OK","sessionHandlesRevoked":[]}""", (await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = named })).Text);
    }

    [Fact]
    public async Task A_removal_that_failed_between_its_transactions_is_completed_by_the_same_call()
    {
        var app = await core.CreateAppAsync();
        var appId = app["/appid-".Length..];
        var (first, last) = (await core.CreateSessionAsync(app), await core.CreateSessionAsync(app));
        string[] named = [Handle(first), .. Enumerable.Range(0, 1_500).Select(_ => $"{Guid.NewGuid():D}"), Handle(last)];
        core.Store.TakeAwayAfterRevocation(appId);
        Assert.Equal(503, (await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = named })).Status);
        Assert.Contains(core.Log.Lines, line => line.Id == 3301 && line.Text.Contains(appId, StringComparison.Ordinal));
        core.Store.GiveBack(appId);

        Assert.Equal([Handle(last)], (await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = named })).Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}"));

        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Token(first, "accessToken"))).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Token(last, "accessToken"))).Word);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("TRUE", true)]
    [InlineData("tRuE", true)]
    [InlineData("false", false)]
    [InlineData("FALSE", false)]
    [InlineData("yes", false)]
    [InlineData("1", false)]
    [InlineData("", false)]
    public async Task A_switch_is_true_in_any_case_and_false_with_any_other_value(string value, bool isTrue)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var here = Handle(await core.CreateSessionAsync(app));
        var there = Handle(await core.CreateSessionAsync($"{app}/t1"));
        string[] expected = isTrue ? [here, there] : [here];

        Assert.Equal(expected, await HandlesAsync($"{app}/recipe/session/user?userId=u1&fetchAcrossAllTenants={value}&fetchSessionsForAllLinkedAccounts={value}"));
        var removed = await core.PostAsync($"{app}/recipe/session/remove", new { userId = "u1", revokeAcrossAllTenants = value, revokeSessionsForLinkedAccounts = value });
        Assert.Equal(expected.Order(), removed.Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}").Order());
    }

    [Theory]
    [InlineData("true", "OK", 2)]
    [InlineData("null", "OK", 2)]
    [InlineData("\" true\"", "OK", 1)]
    [InlineData("0", "OK", 1)]
    [InlineData("1.5", "OK", 1)]
    [InlineData("{}", "400 Field name 'revokeAcrossAllTenants' is invalid in JSON input\n", 0)]
    [InlineData("[true]", "400 Field name 'revokeAcrossAllTenants' is invalid in JSON input\n", 0)]
    public async Task A_switch_in_a_body_may_be_a_text_or_a_number_and_nothing_with_members(string json, string word, int ended)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await core.CreateSessionAsync(app);
        await core.CreateSessionAsync($"{app}/t1");
        var removed = await core.PostAsync($"{app}/recipe/session/remove", $$"""{"userId":"u1","revokeAcrossAllTenants":{{json}}}""");
        Assert.Equal(word, removed.Word);
        Assert.Equal(ended, word == "OK" ? removed.Json["sessionHandlesRevoked"]!.AsArray().Count : 0);
        Assert.Equal(400, (await core.PostAsync($"{app}/session/revoke", """{"userId":"u1","revokeAcrossAllTenants":"true"}""")).Status);
    }

    [Fact]
    public async Task The_deprecated_reads_answer_one_kind_of_data()
    {
        var session = await core.CreateSessionAsync(payload: new { b = 2 });
        await core.SendAsync("PUT", "/recipe/session/data", """{"sessionHandle":"HANDLE","userDataInDatabase":{"k":1.10}}""".Replace("HANDLE", Handle(session), StringComparison.Ordinal));

        foreach (var version in (string[])["2.21", "3.0", "4.0", "5.4", "5.6"])
        {
            Assert.Equal("""{"status":"OK","userDataInDatabase":{"k":1.10}}""", (await core.SendAsync("GET", $"/recipe/session/data?sessionHandle={Handle(session)}", null, version)).Text);
            Assert.Equal("""{"status":"OK","userDataInJWT":{"b":2}}""", (await core.SendAsync("GET", $"/recipe/jwt/data?sessionHandle={Handle(session)}", null, version)).Text);
        }

        foreach (var path in (string[])["/recipe/session/data", "/recipe/jwt/data"])
        {
            Assert.Equal(Ended, (await core.SendAsync("GET", $"{path}?sessionHandle={Guid.NewGuid()}")).Text);
            Assert.Equal("400 Field name 'sessionHandle' is missing in GET request\n", (await core.SendAsync("GET", path)).Word);
        }
    }

    [Theory]
    [InlineData("3.0")]
    [InlineData("4.0")]
    [InlineData("5.0")]
    [InlineData("5.4")]
    [InlineData("5.6")]
    public async Task What_a_tenant_may_call_depends_on_route_and_version(string version)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var t1 = $"{app}/t1";
        var session = await core.CreateSessionAsync(t1, version: version);
        var (handle, accessToken) = (Handle(session), Token(session, "accessToken"));
        CoreAnswer[] served =
        [
            await core.PostAsync($"{t1}/recipe/session/regenerate", new { accessToken }, version),
            await core.SendAsync("GET", $"{t1}/recipe/session?sessionHandle={handle}", null, version),
            await core.SendAsync("GET", $"{t1}/recipe/session/data?sessionHandle={handle}", null, version),
            await core.SendAsync("PUT", $"{t1}/recipe/session/data", new { sessionHandle = handle, userDataInDatabase = new { } }, version),
            await core.SendAsync("GET", $"{t1}/recipe/jwt/data?sessionHandle={handle}", null, version),
            await core.SendAsync("PUT", $"{t1}/recipe/jwt/data", new { sessionHandle = handle, userDataInJWT = new { } }, version),
            await core.SendAsync("GET", $"{t1}/recipe/session/user?userId=u1&fetchAcrossAllTenants=false", null, version),
            await core.RefreshAsync(t1, Token(session, "refreshToken"), version),
        ];
        Assert.All(served, answer => Assert.Equal("OK", answer.Word));
        Assert.Equal(200, (await core.SendAsync("GET", $"{t1}/.well-known/jwks.json", null, version)).Status);

        CoreAnswer[] closedFrom50 =
        [
            await core.SendAsync("GET", $"{t1}/recipe/session/user?userId=u1", null, version),
            await core.PostAsync($"{t1}/recipe/session/remove", new { userId = "nobody" }, version),
            await core.PostAsync($"{t1}/recipe/jwt", new { payload = new { }, validity = 60, algorithm = "RS256", jwksDomain = "x" }, version),
            await core.SendAsync("GET", $"{t1}/recipe/jwt/jwks", null, version),
            await core.SendAsync("GET", $"{t1}/apiversion", null, version),
            await core.SendAsync("GET", $"{t1}/user/id?userId=u", null, version),
        ];
        Assert.All(closedFrom50, answer => Assert.Equal(version[0] == '5' ? 403 : 200, answer.Status));
        Assert.Equal(version == "5.6" ? 403 : 200, (await core.VerifyAsync(t1, accessToken, version: version)).Status);
        Assert.Equal(403, (await core.SendAsync("GET", $"{t1}/apiversion")).Status);
    }

    [Theory]
    [InlineData("dynamic")]
    [InlineData("static")]
    public async Task A_jwt_with_every_claim_of_a_session_is_no_access_token(string key)
    {
        var session = await core.CreateSessionAsync();
        var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(Token(session, "accessToken").Split('.')[1]))!;
        var jwt = await core.PostAsync("/recipe/jwt", new { payload = claims, validity = 3600, algorithm = "RS256", jwksDomain = "x", useStaticSigningKey = key == "static" });

        foreach (var version in (string[])["2.21", "5.4", "5.6"])
        {
            Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync("", $"{jwt.Json["jwt"]}", checkDatabase: true, version)).Word);
            Assert.Equal(Ended, (await core.PostAsync("/recipe/session/regenerate", new { accessToken = $"{jwt.Json["jwt"]}" }, version)).Text);
        }
    }

    [Theory]
    [InlineData("""{"iss":"own","exp":4102444800,"iat":7,"a":1}""", "https://x", """{"iss":"own","exp":4102444800,"iat":7,"a":1}""")]
    [InlineData("""{"a":1,"iss":null}""", "https://x", """{"exp":EXP,"iat":IAT,"a":1,"iss":null}""")]
    [InlineData("{\"is\\u0073\":\"own\"}", "https://x", """{"exp":EXP,"iat":IAT,"iss":"own"}""")]
    [InlineData("""{"a":1.0}""", "https://x", """{"iss":"https://x","exp":EXP,"iat":IAT,"a":1.0}""")]
    [InlineData("""{"iat":"later"}""", null, """{"exp":EXP,"iat":"later"}""")]
    public async Task In_a_jwt_what_the_payload_says_wins(string payload, string? domain, string expected)
    {
        var body = $$"""{"payload":{{payload}},"validity":3600,"algorithm":"RS256"{{(domain is null ? "" : $",\"jwksDomain\":\"{domain}\"")}}}""";
        var jwt = (await core.PostAsync("/recipe/jwt", body)).Json["jwt"]!.GetValue<string>();

        var claims = System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(jwt.Split('.')[1]));
        Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(expected).Replace("EXP", "[0-9]{10}", StringComparison.Ordinal).Replace("IAT", "[0-9]{10}", StringComparison.Ordinal) + "$", claims);
    }

    [Fact]
    public async Task A_life_that_was_asked_for_is_exact_and_one_millisecond_is_enough()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 3600, access_token_validity_jitter = 0.25 });
        async Task<CoreAnswer> Create(long validity) => await core.PostAsync(
            $"{app}/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, accessTokenValidity = validity });

        for (var i = 0; i < 5; i++)
        {
            var created = await Create(3_000_000);
            var refreshed = await core.PostAsync($"{app}/recipe/session/refresh", new { refreshToken = Token(created.Json, "refreshToken"), enableAntiCsrf = false, useDynamicSigningKey = true, accessTokenValidity = 600_000 });
            Assert.Equal((3_000_000L, 600_000L), (Life(created), Life(refreshed)));
        }

        Assert.Equal(3_600_000, Life(await Create(3_600_000)));
        Assert.InRange(Life(await Create(1)), 0, 1000);
        Assert.Equal("400 Field name 'accessTokenValidity' must be between 1 and the access token validity of the app, in milliseconds\n", (await Create(0)).Word);
        Assert.Equal(400, (await Create(3_600_001)).Status);
    }

    [Fact]
    public async Task Jwks_is_cacheable_and_jwts_are_made()
    {
        var jwks = await core.SendAsync("GET", "/.well-known/jwks.json");
        Assert.Equal(["kty", "kid", "n", "e", "alg", "use"], jwks.Json["keys"]![0]!.AsObject().Select(m => m.Key));
        Assert.True(jwks.Headers.CacheControl!.MustRevalidate);
        Assert.InRange(jwks.Headers.CacheControl.MaxAge!.Value, TimeSpan.FromDays(6), TimeSpan.FromDays(7));
        var jwt = await core.PostAsync("/recipe/jwt", new { payload = new { a = 1 }, validity = 60, algorithm = "RS256", jwksDomain = "https://x" });
        Assert.Equal(["status", "jwt"], jwt.Json.Select(m => m.Key));
        Assert.Equal("UNSUPPORTED_ALGORITHM_ERROR", (await core.PostAsync("/recipe/jwt", new { payload = new { }, validity = 60, algorithm = "HS256" })).Word);
        Assert.Equal(400, (await core.PostAsync("/recipe/jwt", new { payload = new { }, validity = 0, algorithm = "RS256" })).Status);
    }

    [Fact]
    public async Task User_look_ups_say_that_there_are_no_users()
    {
        Assert.Equal("""{"status":"UNKNOWN_USER_ID_ERROR"}""", (await core.SendAsync("GET", "/user/id?userId=u")).Text);
        Assert.Equal("""{"status":"UNKNOWN_MAPPING_ERROR"}""", (await core.SendAsync("GET", "/recipe/userid/map?userId=u")).Text);
        Assert.Equal("""{"status":"OK","features":[],"usageStats":{}}""", (await core.SendAsync("GET", "/ee/featureflag")).Text);
        Assert.Equal("""{"status":"OK"}""", (await core.SendAsync("PUT", "/ee/license", new { licenseKey = "x" })).Text);
        Assert.Equal("""{"status":"OK","exists":false}""", (await core.SendAsync("GET", "/telemetry")).Text);
    }

    [Fact]
    public async Task Another_apps_sessions_are_out_of_reach()
    {
        var mine = await core.CreateAppAsync();
        var theirs = await core.CreateSessionAsync(await core.CreateAppAsync());

        Assert.Equal(Ended, (await core.SendAsync("GET", $"{mine}/recipe/session?sessionHandle={Handle(theirs)}")).Text);
        Assert.Equal("""{"status":"OK","sessionHandlesRevoked":[]}""", (await core.PostAsync($"{mine}/recipe/session/remove", new { sessionHandles = new[] { Handle(theirs) } })).Text);
        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(mine, Token(theirs, "accessToken"))).Word);
        Assert.Equal(Ended, (await core.PostAsync($"{mine}/recipe/session/regenerate", new { accessToken = Token(theirs, "accessToken") })).Text);
    }

    private static string Handle(JsonObject session) => session["session"]!["handle"]!.GetValue<string>();

    private static string Token(JsonObject answer, string name) => answer[name]!["token"]!.GetValue<string>();

    private static long Life(CoreAnswer answer) => answer.Json["accessToken"]!["expiry"]!.GetValue<long>() - answer.Json["accessToken"]!["createdTime"]!.GetValue<long>();

    private static string Kid(JsonObject answer) =>
        JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(Token(answer, "accessToken").Split('.')[0]))!["kid"]!.GetValue<string>();

    private async Task<string[]> HandlesAsync(string path, string? version = null) =>
        [.. (await core.SendAsync("GET", path, null, version)).Json["sessionHandles"]!.AsArray().Select(h => h!.GetValue<string>())];
}
