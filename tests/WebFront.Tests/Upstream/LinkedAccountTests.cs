using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Grid.Client;
using Grid.WebFront.Front;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>Accounts that the core behind Grid holds for one user: a session is that user's, and remembers by which account it began.</summary>
[Collection(nameof(UpstreamHost))]
public sealed class LinkedAccountTests(UpstreamHost host)
{
    private readonly string _user = NewId();
    private readonly string _account = NewId();

    private CoreHost Core => host.Core;

    private StandInCore Behind => host.Behind;

    [Theory]
    [InlineData("2.21", false)]
    [InlineData("3.0", false)]
    [InlineData("4.0", true)]
    [InlineData("5.4", true)]
    [InlineData("5.6", true)]
    public async Task Every_answer_and_token_names_the_user_and_the_account(string version, bool namesAccount)
    {
        Link();
        var created = await Core.CreateSessionAsync(userId: _account, version: version);
        AssertSession(created);
        AssertToken(created);

        foreach (var checkDatabase in new[] { false, true })
        {
            AssertSession((await Core.VerifyAsync("", Token(created), checkDatabase, version)).Json);
        }

        var regenerated = await Core.PostAsync("/recipe/session/regenerate", new { accessToken = Token(created), userDataInJWT = new { b = 1 } }, version);
        AssertSession(regenerated.Json);
        AssertToken(regenerated.Json);
        var refreshed = (await Core.RefreshAsync("", created["refreshToken"]!["token"]!.GetValue<string>(), version)).Json;
        AssertSession(refreshed);
        AssertToken(refreshed);

        // By the older rules the first use of the new tokens makes another access token.
        var verified = (await Core.VerifyAsync("", Token(refreshed), checkDatabase: true, version)).Json;
        AssertSession(verified);
        if (verified["accessToken"] is not null)
        {
            AssertToken(verified);
        }

        var found = (await Core.SendAsync("GET", $"/recipe/session?sessionHandle={Handle(created)}", null, version)).Json;
        Assert.Equal((_user, namesAccount ? _account : null), ($"{found["userId"]}", found["recipeUserId"]?.GetValue<string>()));

        // Beyond the grace that a rotation leaves.
        Core.Clock.Skip(TimeSpan.FromMinutes(1));
        var reused = (await Core.RefreshAsync("", created["refreshToken"]!["token"]!.GetValue<string>(), version)).Json;
        AssertStatus("TOKEN_THEFT_DETECTED", reused);
        Assert.Equal((_user, namesAccount ? _account : null), ($"{reused["session"]!["userId"]}", reused["session"]!["recipeUserId"]?.GetValue<string>()));

        void AssertSession(JsonObject answer)
        {
            AssertStatus("OK", answer);
            Assert.Equal((_user, namesAccount ? _account : null), ($"{answer["session"]!["userId"]}", answer["session"]!["recipeUserId"]?.GetValue<string>()));
        }

        void AssertToken(JsonObject answer)
        {
            var claims = JsonNode.Parse(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Token(answer).Split('.')[1])))!;
            Assert.Equal((_user, namesAccount ? _account : null), ($"{claims["sub"]}", claims["rsub"]?.GetValue<string>()));
        }
    }

    [Fact]
    public async Task What_is_no_account_of_that_core_is_its_own_user_and_an_account_that_is_not_linked_too()
    {
        Behind.Owners[_account] = _account;
        foreach (var id in new[] { _account, NewId() })
        {
            var session = (await Core.CreateSessionAsync(userId: id))["session"]!;
            Assert.Equal((id, id), ($"{session["userId"]}", $"{session["recipeUserId"]}"));
        }
    }

    [Fact]
    public async Task It_is_asked_before_the_session_is_stored_and_after_in_a_version_that_has_linked_accounts()
    {
        Link();
        await Core.SendAsync("GET", "/apiversion");
        var before = 0;
        var created = await ToldAsync(() =>
        {
            before = Asked().Count;
            return Core.PostAsync("/recipe/session", NewSession(), "3.0");
        });

        Assert.Equal("OK", created.Word);
        var asked = Asked()[before..];
        Assert.Equal(2, asked.Count);
        Assert.All(asked, seen => Assert.True(Version.Parse(seen.Headers["cdi-version"]) >= new Version(4, 0)));

        List<Seen> Asked() => [.. Behind.For("/user/id").Where(seen => seen.Target.EndsWith(_account, StringComparison.Ordinal))];
    }

    [Fact]
    public async Task Services_in_the_same_process_get_both_ids()
    {
        Link();
        var sessions = Core.Services.GetRequiredService<InProcessSessions>();
        var stop = TestContext.Current.CancellationToken;
        var created = await sessions.CreateAsync(new SessionDraft { UserId = _account }, stop);
        var refreshed = await sessions.RefreshAsync(new TokenToRefresh(created.Tokens.Refresh.Text, false, null, true), stop);
        var regenerated = await sessions.RegenerateAsync(refreshed.Tokens!.Access.Text, stop);
        var checkedToken = (await sessions.VerifyAsync(new TokenToCheck(refreshed.Tokens.Access.Text, false, null, true), stop)).Token!;
        var found = (await sessions.FindAsync(created.Handle, stop))!;

        Assert.Equal((_user, _account), (created.UserId, created.RecipeUserId));
        Assert.Equal((_user, _account), (refreshed.UserId, refreshed.RecipeUserId));
        Assert.Equal((_user, _account), (regenerated!.UserId, regenerated.RecipeUserId));
        Assert.Equal((_user, _account), (checkedToken.UserId, checkedToken.RecipeUserId));
        Assert.Equal((_user, _account), (found.UserId, found.RecipeUserId));
    }

    [Fact]
    public async Task All_sessions_of_a_user_are_named_by_the_user_and_by_each_account_those_of_an_account_by_it_alone()
    {
        Link();
        var (first, second, other) = (await BeginAsync(_user), await BeginAsync(_account), await BeginAsync(NewId()));

        Assert.Equal([first, second], await ListAsync($"userId={_user}"));
        Assert.Equal([first, second], await ListAsync($"userId={_account}"));
        Assert.Equal([first], await ListAsync($"userId={_user}&fetchSessionsForAllLinkedAccounts=false"));
        Assert.Equal([second], await ListAsync($"userId={_account}&fetchSessionsForAllLinkedAccounts=false"));

        Assert.Equal([second], await RevokeAsync(new { userId = _account, revokeSessionsForLinkedAccounts = false }));
        Assert.Equal([first], await ListAsync($"userId={_user}"));
        second = await BeginAsync(_account);
        Assert.Equal([first], await RevokeAsync(new { userId = _user, revokeSessionsForLinkedAccounts = false }));
        Assert.Equal([second], await ListAsync($"userId={_user}"));
        first = await BeginAsync(_user);
        Assert.Equal([first, second], (await RevokeAsync(new { userId = _account })).Order().ToArray() is var ended && ended.SequenceEqual(new[] { first, second }.Order()) ? [first, second] : ended);
        (first, second) = (await BeginAsync(_user), await BeginAsync(_account));
        Assert.Equal(new[] { first, second }.Order(), (await RevokeAsync(new { userId = _user })).Order());
        Assert.Empty(await ListAsync($"userId={_account}"));
        Assert.True(await IsActiveAsync(other));
    }

    [Fact]
    public async Task With_the_core_away_nobody_signs_in_and_an_accounts_own_sessions_can_be_ended()
    {
        Link();
        var session = await Core.CreateSessionAsync(userId: _account);
        var before = await ListAsync($"userId={_account}&fetchSessionsForAllLinkedAccounts=false");
        Behind.Answers["/user/id"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        try
        {
            var refused = await BeginAsync();
            Assert.Equal((503, "1"), (refused.Status, refused.Headers.RetryAfter?.ToString()));
            Assert.Equal($"The core behind Grid, {Behind.Url.Authority}, cannot be reached. Sessions go on; please retry this later\n", refused.Text);
            Assert.Equal(503, (await ToldAsync(() => Core.PostAsync("/session/ticket", new { userId = _account }))).Status);
            var failure = await Assert.ThrowsAsync<GridException>(() => Core.Services.GetRequiredService<InProcessSessions>().CreateAsync(new SessionDraft { UserId = _account }, CancellationToken.None));
            Assert.Equal(GridFailure.Unavailable, failure.Reason);
            Assert.Equal(before, await ListAsync($"userId={_account}&fetchSessionsForAllLinkedAccounts=false"));

            Assert.Equal("OK", (await Core.VerifyAsync("", Token(session), checkDatabase: true)).Word);
            Assert.Equal("OK", (await Core.RefreshAsync("", session["refreshToken"]!["token"]!.GetValue<string>())).Word);
            Assert.Equal(503, (await Core.PostAsync("/recipe/session/remove", new { userId = _account })).Status);
            Assert.False(await IsActiveAsync(Handle(session)));
        }
        finally
        {
            Behind.Answers.TryRemove("/user/id", out _);
        }
    }

    [Theory]
    [InlineData("linked")]
    [InlineData("unlinked")]
    [InlineData("removed")]
    public async Task An_account_that_is_linked_unlinked_or_removed_while_it_signs_in_gets_no_session_of_its_former_user(string what)
    {
        Behind.Owners[_user] = _user;
        Behind.Owners[_account] = what == "linked" ? _account : _user;
        Core.Store.BeforeInsert("public", async () =>
        {
            // All of it, from the core's agreement to the end of the sessions that are there.
            if (what == "removed")
            {
                Behind.Owners.TryRemove(_account, out _);
                Assert.Equal("OK", (await Core.PostAsync("/user/remove", new { userId = _account, removeAllLinkedAccounts = false })).Word);
                return;
            }

            Behind.Owners[_account] = what == "linked" ? _user : _account;
            Assert.Equal("OK", (await Core.PostAsync($"/recipe/accountlinking/user/{(what == "linked" ? "link" : "unlink")}", new { recipeUserId = _account, primaryUserId = _user })).Word);
        });

        Assert.Equal(503, (await BeginAsync()).Status);
        Assert.Empty(await ListAsync($"userId={_user}&fetchSessionsForAllLinkedAccounts=false"));
        Assert.Empty(await ListAsync($"userId={_account}&fetchSessionsForAllLinkedAccounts=false"));

        var session = (await Core.CreateSessionAsync(userId: _account))["session"]!;
        Assert.Equal(what == "linked" ? _user : _account, $"{session["userId"]}");
    }

    [Fact]
    public async Task Linking_ends_the_accounts_sessions_as_a_user_of_its_own_and_repeated_none_that_began_since()
    {
        Behind.Owners[_user] = _user;
        Behind.Owners[_account] = _account;
        var (before, users) = (await BeginAsync(_account), await BeginAsync(_user));
        Link();
        var link = new { recipeUserId = _account, primaryUserId = _user };
        Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/link", link)).Word);
        Assert.False(await IsActiveAsync(before));
        Assert.True(await IsActiveAsync(users));

        var since = await BeginAsync(_account);
        Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/link", link)).Word);
        Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/link", new { recipeUserId = _user, primaryUserId = _user })).Word);
        Assert.True(await IsActiveAsync(since));
        Assert.True(await IsActiveAsync(users));
    }

    [Fact]
    public async Task An_account_is_not_linked_before_it_is_known_which_sessions_it_has_as_a_user_of_its_own()
    {
        var appId = NewId();
        Assert.Equal("OK", (await Core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId })).Word);
        await Core.CreateSessionAsync($"/appid-{appId}", _account);
        var link = new { recipeUserId = _account, primaryUserId = _user };
        Core.Store.TakeAway(appId);
        Assert.Equal(503, (await Core.PostAsync($"/appid-{appId}/recipe/accountlinking/user/link", link)).Status);
        Assert.DoesNotContain(Behind.For("/accountlinking/user/link"), seen => seen.Text.Contains(_account, StringComparison.Ordinal));

        Core.Store.GiveBack(appId);
        Assert.Equal("OK", (await Core.PostAsync($"/appid-{appId}/recipe/accountlinking/user/link", link)).Word);
        Assert.Contains(Behind.For("/accountlinking/user/link"), seen => seen.Text.Contains(_account, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unlinking_ends_the_accounts_sessions_and_not_those_by_the_users_other_accounts()
    {
        Link();
        var (users, accounts) = (await BeginAsync(_user), await BeginAsync(_account));
        Behind.Owners[_account] = _account;
        Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/unlink", new { recipeUserId = _account })).Word);
        Assert.False(await IsActiveAsync(accounts));
        Assert.True(await IsActiveAsync(users));

        // Repeated, it ends nothing that is right.
        var since = await BeginAsync(_account);
        Behind.Answers["/recipe/accountlinking/user/unlink"] = context => StandInCore.WriteAsync(context, """{"status":"OK","wasRecipeUserDeleted":false,"wasLinked":false}""");
        try
        {
            Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/unlink", new { recipeUserId = _account })).Word);
            Assert.True(await IsActiveAsync(since));
        }
        finally
        {
            Behind.Answers.TryRemove("/recipe/accountlinking/user/unlink", out _);
        }
    }

    // What the core says to a repetition: that the account is its own user, that there is none (it had given its user the id), or the same again.
    [Theory]
    [InlineData("""{"status":"OK","wasRecipeUserDeleted":false,"wasLinked":false}""", 200)]
    [InlineData("Unknown user ID provided\n", 400)]
    [InlineData("""{"status":"OK","wasRecipeUserDeleted":false,"wasLinked":true}""", 200)]
    public async Task An_account_is_signed_out_before_it_is_unlinked_and_a_repetition_ends_what_began_in_between(string then, int status)
    {
        Link();
        var appId = await MakeAppAsync();
        var unlink = $"/appid-{appId}/recipe/accountlinking/user/unlink";
        var (before, users) = (await BeginAsync(_account, appId), await BeginAsync(_user, appId));
        string? between = null;
        Behind.Answers[unlink] = async context =>
        {
            Assert.False(await IsActiveAsync(before, appId));
            between = await BeginAsync(_account, appId);

            // The core agrees, and Grid gets no further.
            if (status == 200)
            {
                Behind.Owners[_account] = _account;
            }
            else
            {
                Behind.Owners.TryRemove(_account, out _);
            }

            Core.Store.TakeAway(appId);
            await StandInCore.WriteAsync(context, """{"status":"OK","wasRecipeUserDeleted":false,"wasLinked":true}""");
        };
        Assert.Equal(503, (await Core.PostAsync(unlink, new { recipeUserId = _account })).Status);
        Core.Store.GiveBack(appId);
        Assert.Equal((true, true), (await IsActiveAsync(between!, appId), await IsActiveAsync(users, appId)));

        Behind.Answers[unlink] = context => StandInCore.WriteAsync(context, then, status);
        Assert.Equal((status, then), await Core.PostAsync(unlink, new { recipeUserId = _account }) is var repeated ? (repeated.Status, repeated.Text) : default);
        Assert.Equal((false, false, true), (await IsActiveAsync(before, appId), await IsActiveAsync(between!, appId), await IsActiveAsync(users, appId)));
    }

    [Fact]
    public async Task An_account_that_can_be_taken_from_nobody_stays_signed_in()
    {
        // One that is alone, and a user of the application's own.
        Behind.Owners[_account] = _account;
        var appId = await MakeAppAsync();
        var unlink = $"/appid-{appId}/recipe/accountlinking/user/unlink";
        foreach (var (id, answer, status) in new[] { (_account, """{"status":"OK","wasRecipeUserDeleted":false,"wasLinked":false}""", 200), (NewId(), "Unknown user ID provided\n", 400) })
        {
            var session = await BeginAsync(id, appId);
            Behind.Answers[unlink] = context => StandInCore.WriteAsync(context, answer, status);
            Assert.Equal((status, answer), await Core.PostAsync(unlink, new { recipeUserId = id }) is var told ? (told.Status, told.Text) : default);
            Assert.True(await IsActiveAsync(session, appId));
        }
    }

    [Fact]
    public async Task An_account_is_signed_out_before_it_is_linked_and_a_repetition_ends_what_began_in_between()
    {
        (Behind.Owners[_user], Behind.Owners[_account]) = (_user, _account);
        var appId = await MakeAppAsync();
        var link = $"/appid-{appId}/recipe/accountlinking/user/link";
        var body = new { recipeUserId = _account, primaryUserId = _user };
        var (before, users) = (await BeginAsync(_account, appId), await BeginAsync(_user, appId));
        string? between = null;
        Behind.Answers[link] = async context =>
        {
            Assert.False(await IsActiveAsync(before, appId));
            between = await BeginAsync(_account, appId);
            Link();
            Core.Store.TakeAway(appId);
            await StandInCore.WriteAsync(context, """{"status":"OK","accountsAlreadyLinked":false}""");
        };
        Assert.Equal(503, (await Core.PostAsync(link, body)).Status);
        Core.Store.GiveBack(appId);
        Assert.True(await IsActiveAsync(between!, appId));

        var since = await BeginAsync(_account, appId);
        Behind.Answers[link] = context => StandInCore.WriteAsync(context, """{"status":"OK","accountsAlreadyLinked":true}""");
        Assert.Equal("OK", (await Core.PostAsync(link, body)).Word);
        Assert.Equal((false, false), (await IsActiveAsync(before, appId), await IsActiveAsync(between!, appId)));
        Assert.Equal((true, true), (await IsActiveAsync(users, appId), await IsActiveAsync(since, appId)));
    }

    [Theory]
    [InlineData("""{"status":"ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR"}""", 200)]
    [InlineData("Unknown user ID provided\n", 400)]
    public async Task A_link_that_the_core_would_refuse_signs_nobody_out_and_is_refused_in_its_words(string refusal, int status)
    {
        (Behind.Owners[_user], Behind.Owners[_account]) = (_user, _account);
        var appId = await MakeAppAsync();
        var link = $"/appid-{appId}/recipe/accountlinking/user/link";
        var session = await BeginAsync(_account, appId);
        Behind.Answers[link] = Behind.Answers[link + "/check"] = context => StandInCore.WriteAsync(context, refusal, status);

        var refused = await Core.PostAsync(link, new { recipeUserId = _account, primaryUserId = _user });

        Assert.Equal((status, refusal), (refused.Status, refused.Text));
        Assert.True(await IsActiveAsync(session, appId));
    }

    [Fact]
    public async Task An_account_is_not_linked_while_the_core_does_not_say_whether_it_would()
    {
        (Behind.Owners[_user], Behind.Owners[_account]) = (_user, _account);
        var appId = await MakeAppAsync();
        var link = $"/appid-{appId}/recipe/accountlinking/user/link";
        var session = await BeginAsync(_account, appId);
        Behind.Answers[link + "/check"] = context => StandInCore.WriteAsync(context, "Internal Error\n", 500);

        Assert.Equal(503, (await Core.PostAsync(link, new { recipeUserId = _account, primaryUserId = _user })).Status);
        Assert.DoesNotContain(Behind.For(link), seen => seen.Text.Contains(_account, StringComparison.Ordinal));
        Assert.True(await IsActiveAsync(session, appId));
    }

    [Fact]
    public async Task The_account_that_gave_its_user_the_id_is_unlinked_without_the_others()
    {
        Link();
        var (users, accounts) = (await BeginAsync(_user), await BeginAsync(_account));
        Assert.Equal("OK", (await Core.PostAsync("/recipe/accountlinking/user/unlink", new { recipeUserId = _user })).Word);
        Assert.False(await IsActiveAsync(users));
        Assert.True(await IsActiveAsync(accounts));
    }

    [Fact]
    public async Task A_removed_account_takes_its_own_sessions_along_a_removed_user_all()
    {
        Link();
        foreach (var removed in new[] { _user, _account })
        {
            var (users, accounts) = (await BeginAsync(_user), await BeginAsync(_account));
            Assert.Equal("OK", (await Core.PostAsync("/user/remove", new { userId = removed, removeAllLinkedAccounts = false })).Word);
            Assert.Equal((removed != _user, removed != _account), (await IsActiveAsync(users), await IsActiveAsync(accounts)));

            (users, accounts) = (await BeginAsync(_user), await BeginAsync(_account));
            Assert.Equal("OK", (await Core.PostAsync("/user/remove", new { userId = removed })).Word);
            Assert.Equal((false, false), (await IsActiveAsync(users), await IsActiveAsync(accounts)));
        }
    }

    [Fact]
    public async Task An_account_that_leaves_a_tenant_loses_its_sessions_there_and_no_others()
    {
        Link();
        var tenantId = NewId();
        Assert.Equal("OK", (await Core.SendAsync("PUT", "/recipe/multitenancy/tenant/v2", new { tenantId })).Word);
        var there = Handle(await Core.CreateSessionAsync($"/{tenantId}", _account));
        var (users, elsewhere) = (Handle(await Core.CreateSessionAsync($"/{tenantId}", _user)), await BeginAsync(_account));
        Assert.Equal("OK", (await Core.PostAsync($"/{tenantId}/recipe/multitenancy/tenant/user/remove", new { recipeUserId = _account })).Word);
        Assert.Equal((false, true, true), (await IsActiveAsync(there), await IsActiveAsync(users), await IsActiveAsync(elsewhere)));
    }

    [Fact]
    public async Task An_account_with_sessions_under_its_user_gets_another_id_only_by_force()
    {
        Link();
        await BeginAsync(_account);
        var refused = await Core.PostAsync("/recipe/userid/map", new { superTokensUserId = _account, externalUserId = "x" });
        Assert.Equal((400, "UserId is already in use in Session recipe\n"), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task A_ticket_is_for_the_user_and_void_once_the_account_is_anothers()
    {
        Link();
        var sessions = Core.Services.GetRequiredService<InProcessSessions>();
        var created = (await sessions.RedeemTicketAsync((await OrderAsync())!))!;
        Assert.Equal((_user, _account), (created.UserId, created.RecipeUserId));

        var ticket = (await OrderAsync())!;
        Behind.Owners[_account] = _account;
        Assert.Null(await sessions.RedeemTicketAsync(ticket));

        async Task<Grid.WebFront.Sessions.OpenedTicket?> OrderAsync() =>
            await sessions.OpenTicketAsync((await ToldAsync(() => Core.PostAsync("/session/ticket", new { userId = _account }))).Json["ticket"]!.GetValue<string>());
    }

    private void Link() => Behind.Owners[_user] = Behind.Owners[_account] = _user;

    // A starved machine may take longer over the question than there is patience for.
    private static async Task<CoreAnswer> ToldAsync(Func<Task<CoreAnswer>> call)
    {
        for (var tries = 0; ; tries++)
        {
            var answer = await call();
            if (answer.Status != 504 || tries == 60)
            {
                return answer;
            }
        }
    }

    private Task<CoreAnswer> BeginAsync() => ToldAsync(() => Core.PostAsync("/recipe/session", NewSession()));

    private object NewSession() => new { userId = _account, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } };

    private async Task<string> BeginAsync(string account) => Handle(await Core.CreateSessionAsync(userId: account));

    private async Task<string> BeginAsync(string account, string appId) => Handle(await Core.CreateSessionAsync($"/appid-{appId}", account));

    private async Task<bool> IsActiveAsync(string handle, string appId) => (await Core.SendAsync("GET", $"/appid-{appId}/recipe/session?sessionHandle={handle}")).Word == "OK";

    // Its store can be taken away alone.
    private async Task<string> MakeAppAsync()
    {
        var appId = NewId();
        Assert.Equal("OK", (await Core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId })).Word);
        return appId;
    }

    private async Task<string[]> ListAsync(string query) => Handles(await Core.SendAsync("GET", $"/recipe/session/user?{query}"), "sessionHandles");

    private async Task<string[]> RevokeAsync(object body) => Handles(await Core.PostAsync("/recipe/session/remove", body), "sessionHandlesRevoked");

    private async Task<bool> IsActiveAsync(string handle) => (await Core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word == "OK";

    private static string[] Handles(CoreAnswer answer, string name) => [.. answer.Json[name]!.AsArray().Select(handle => handle!.GetValue<string>())];

    private static void AssertStatus(string status, JsonObject answer) => Assert.Equal(status, answer["status"]!.GetValue<string>());

    private static string Token(JsonObject answer) => answer["accessToken"]!["token"]!.GetValue<string>();

    private static string Handle(JsonObject answer) => answer["session"]!["handle"]!.GetValue<string>();

    private static string NewId() => Guid.NewGuid().ToString("D");
}
