using Grid.Client;
using Grid.Tokens.Refresh;

namespace Grid.HostKit;

/// <summary>What every <see cref="IGridSessions"/> does, in the silo's process and over HTTP alike.</summary>
/// <param name="core">The Grid behind it; null if there is none, and what needs it is overridden.</param>
public abstract class GridSessionsConformance(CoreHost? core) : IAsyncLifetime
{
    private readonly string _user = $" user-{Guid.NewGuid():N}\u00a0";

    protected CoreHost Core => core ?? throw new InvalidOperationException("There is no Grid behind these sessions.");

    protected IGridSessions Sessions { get; set; } = null!;

    /// <summary>Whether these sessions can watch a user; the others refuse.</summary>
    protected virtual bool WatchesUsers => true;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    /// <summary>Lets time pass.</summary>
    protected virtual void Skip(TimeSpan time) => Core.Clock.Skip(time);

    /// <summary>Takes away what sessions are stored in, or gives it back.</summary>
    protected virtual void SetAway(bool isAway)
    {
        if (isAway)
        {
            Core.Store.TakeAway("public");
        }
        else
        {
            Core.Store.GiveBack("public");
        }
    }

    protected virtual Task CreateTenantAsync(string tenantId) => Core.SendAsync("PUT", "/recipe/multitenancy/tenant/v2", new { tenantId });

    [Fact]
    public async Task A_created_session_is_found_and_checked()
    {
        var made = await CreateAsync(payload: """{"role":"admin","é":"é"}""", data: """{"cart":1.10}""");

        var found = (await Sessions.FindAsync(made.Handle, Stop))!;
        var check = await CheckAsync(made);

        Assert.Equal((_user, "public", _user), (made.UserId, made.TenantId, found.UserId));
        Assert.Equal(("""{"role":"admin","é":"é"}""", """{"cart":1.10}"""), (System.Text.RegularExpressions.Regex.Unescape(found.PayloadJson), found.DataJson));
        Assert.Equal((made.Handle, "public"), (found.Handle, found.TenantId));
        Assert.True(found.ExpiresAt > found.CreatedAt);
        Assert.Equal((SessionVerdict.Ok, made.Handle, _user, "public"), (check.Verdict, check.Token!.SessionHandle, check.Token.UserId, check.Token.TenantId));
    }

    [Fact]
    public async Task Bad_tokens_send_to_refresh_and_one_that_has_only_expired_still_names_its_session()
    {
        var made = await CreateAsync();

        foreach (var bad in (string[])["", "garbage", made.Tokens.Refresh.Text, made.Tokens.Access.Text[..^6] + "AAAAAA"])
        {
            var refused = await Sessions.VerifyAsync(new TokenToCheck(bad, false, null, true), Stop);
            Assert.Equal((SessionVerdict.TryRefresh, null), (refused.Verdict, refused.Token));
        }

        Skip(TimeSpan.FromMinutes(61));
        var expired = await CheckAsync(made);
        Assert.Equal((SessionVerdict.TryRefresh, made.Handle), (expired.Verdict, expired.Token?.SessionHandle));
    }

    [Fact]
    public async Task A_session_is_active_until_it_is_revoked()
    {
        var made = await CreateAsync();
        Assert.True(await Sessions.IsActiveAsync(made.Handle, Stop));

        await Sessions.RevokeAsync(made.Handle, Stop);

        Assert.False(await Sessions.IsActiveAsync(made.Handle, Stop));
        Assert.False(await Sessions.IsActiveAsync("garbage", Stop));
    }

    [Fact]
    public async Task The_anti_csrf_token_is_checked_where_asked()
    {
        var made = await CreateAsync(antiCsrf: true);

        Assert.Equal(SessionVerdict.Ok, (await Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, true, made.Tokens.AntiCsrf, true), Stop)).Verdict);
        Assert.Equal(SessionVerdict.TryRefresh, (await Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, true, "other", true), Stop)).Verdict);
        Assert.Equal(SessionVerdict.TryRefresh, (await Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, true, null, true), Stop)).Verdict);
    }

    [Fact]
    public async Task Whether_the_session_lives_is_asked_only_if_wanted()
    {
        var made = await CreateAsync();
        var revoked = await Sessions.RevokeAsync(made.Handle, Stop);

        Assert.Equal([made.Handle], revoked.Handles);
        Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(made)).Verdict);
        Assert.Equal(SessionVerdict.Ok, (await Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, CheckSession: false), Stop)).Verdict);
    }

    [Fact]
    public async Task An_outage_is_one_kind_of_exception_and_a_check_of_the_token_alone_goes_on()
    {
        var made = await CreateAsync();
        SetAway(true);
        try
        {
            Assert.Equal(SessionVerdict.Ok, (await Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, CheckSession: false), Stop)).Verdict);
            foreach (var call in (Func<Task>[])
            [
                () => CreateAsync(), async () => await Sessions.FindAsync(made.Handle, Stop), async () => await CheckAsync(made), () => RefreshAsync(made.Tokens.Refresh.Text),
                () => Sessions.RevokeAsync(made.Handle, Stop), () => Sessions.RevokeUserAsync(_user, null, null, Stop), () => Sessions.UpdateDataAsync(made.Handle, "{}", Stop),
                () => Sessions.UpdatePayloadAsync(made.Handle, "{}", Stop), () => Sessions.MergePayloadAsync(made.Handle, "{}", Stop), () => Sessions.RegenerateAsync(made.Tokens.Access.Text, "{}", Stop), () => Sessions.ListAsync(_user, null, Stop),
            ])
            {
                Assert.Equal(GridFailure.Unavailable, (await Assert.ThrowsAsync<GridException>(call)).Reason);
            }
        }
        finally
        {
            SetAway(false);
        }

        Assert.Equal(SessionVerdict.Ok, (await RefreshAsync(made.Tokens.Refresh.Text)).Verdict);
    }

    [Fact]
    public async Task A_refresh_rotates_and_a_retired_token_ends_the_session()
    {
        var made = await CreateAsync();
        var refreshed = await RefreshAsync(made.Tokens.Refresh.Text);
        Assert.Equal((SessionVerdict.Ok, made.Handle, _user, "public"), (refreshed.Verdict, refreshed.Handle, refreshed.UserId, refreshed.TenantId));
        Assert.Equal(("{}", ReuseKind.None), (refreshed.PayloadJson, refreshed.Reuse));
        Assert.InRange(refreshed.Tokens!.Refresh.CreatedAt, made.Tokens.Refresh.CreatedAt, refreshed.Tokens.Refresh.ExpiresAt);
        await RefreshAsync(refreshed.Tokens!.Refresh.Text);
        Skip(TimeSpan.FromMinutes(2));

        var theft = await RefreshAsync(made.Tokens.Refresh.Text);

        Assert.Equal((SessionVerdict.TokenTheft, made.Handle), (theft.Verdict, theft.Handle));
        Assert.Equal((_user, ReuseKind.StaleLineage), (theft.UserId, theft.Reuse));
        Assert.Null(await Sessions.FindAsync(made.Handle, Stop));
        Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(made)).Verdict);
        Assert.Equal(SessionVerdict.Unauthorised, (await RefreshAsync(made.Tokens.Refresh.Text)).Verdict);
        Assert.Equal(SessionVerdict.Unauthorised, (await RefreshAsync("garbage")).Verdict);
    }

    [Fact]
    public async Task A_refresh_that_would_make_the_token_too_long_leaves_the_refresh_token_good()
    {
        var made = await CreateAsync();

        var refusal = await Assert.ThrowsAsync<GridException>(() => Sessions.RefreshAsync(new TokenToRefresh(made.Tokens.Refresh.Text, false, null, true) { MaxAccessTokenLength = 600 }, Stop));

        Assert.Equal(GridFailure.TokenTooLong, refusal.Reason);
        Assert.Contains("at most 600", refusal.Message, StringComparison.Ordinal);
        Skip(TimeSpan.FromMinutes(2));
        Assert.Equal(SessionVerdict.Ok, (await RefreshAsync(made.Tokens.Refresh.Text)).Verdict);
    }

    [Fact]
    public async Task A_users_sessions_are_listed_and_ended_but_the_excepted_one()
    {
        var kept = await CreateAsync();
        CreatedSession[] others = [await CreateAsync(), await CreateAsync()];
        string[] all = [.. others.Append(kept).Select(s => s.Handle).Order()];
        Assert.Equal(all, (await Sessions.ListAsync(_user, null, Stop)).Order());
        Assert.Equal(all, (await Sessions.ListAsync(_user, "public", Stop)).Order());

        var revoked = await Sessions.RevokeUserAsync(_user, null, kept.Handle, Stop);

        Assert.Equal(others.Select(o => o.Handle).Order(), revoked.Handles.Order());
        Assert.True(revoked.Receipt.Confirmed > 0);
        Assert.Equal([kept.Handle], await Sessions.ListAsync(_user, null, Stop));
        Assert.Equal(SessionVerdict.Ok, (await CheckAsync(kept)).Verdict);
        Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(others[0])).Verdict);
        Assert.Equal([kept.Handle], (await Sessions.RevokeUserAsync(_user, "public", null, Stop)).Handles);
        Assert.Empty(await Sessions.ListAsync(_user, null, Stop));
    }

    [Fact]
    public async Task Several_sessions_end_in_one_revocation_and_a_tenant_with_all_that_it_has()
    {
        var tenant = $"t{Guid.NewGuid():N}"[..20];
        await CreateTenantAsync(tenant);
        CreatedSession[] some = [await CreateAsync(), await CreateAsync()];
        var elsewhere = await Sessions.CreateAsync(new SessionDraft { UserId = _user, TenantId = tenant }, Stop);
        var kept = await CreateAsync();

        var several = await Sessions.RevokeAsync([some[0].Handle, "garbage", some[1].Handle, $"{Guid.NewGuid()}"], GridRevocationReason.SignedOut, Stop);
        var whole = await Sessions.RevokeTenantAsync(tenant, Stop);

        Assert.Equal(some.Select(s => s.Handle).Order(), several.Handles.Order());
        Assert.True(several.Receipt.Confirmed > 0 && whole.Receipt.Confirmed > 0);
        Assert.Equal([kept.Handle], await Sessions.ListAsync(_user, null, Stop));
        Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(elsewhere)).Verdict);
        Assert.Empty((await Sessions.RevokeAsync([], GridRevocationReason.Requested, Stop)).Handles);
        Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(() => Sessions.RevokeTenantAsync("no-such-tenant", Stop))).Reason);
    }

    [Fact]
    public async Task Payload_and_data_are_replaced_and_a_regenerated_token_carries_the_payload()
    {
        var made = await CreateAsync();
        Assert.True(await Sessions.UpdateDataAsync(made.Handle, """{"cart":2}""", Stop));
        Assert.True(await Sessions.UpdatePayloadAsync(made.Handle, """{"plan":"gold"}""", Stop));
        var found = (await Sessions.FindAsync(made.Handle, Stop))!;
        Assert.Equal(("""{"plan":"gold"}""", """{"cart":2}"""), (found.PayloadJson, found.DataJson));

        var regenerated = (await Sessions.RegenerateAsync(made.Tokens.Access.Text, """{"plan":"silver"}""", Stop))!;
        var check = await Sessions.VerifyAsync(new TokenToCheck(regenerated.AccessToken!.Text, false, null, true), Stop);

        Assert.Equal(("""{"plan":"silver"}""", """{"plan":"silver"}""", made.Tokens.Access.ExpiresAt), (regenerated.PayloadJson, check.Token!.PayloadJson, regenerated.AccessToken!.ExpiresAt));
        Skip(TimeSpan.FromMinutes(61));
        Assert.Equal(("""{"plan":"iron"}""", null), (await Sessions.RegenerateAsync(made.Tokens.Access.Text, """{"plan":"iron"}""", Stop)) is { } late ? (late.PayloadJson, late.AccessToken?.Text) : default);
    }

    [Fact]
    public async Task Merges_into_the_payload_set_and_remove_members_and_leave_the_rest_as_written()
    {
        var made = await CreateAsync(payload: """{"iss":"https://api/auth","n":1.10,"gone":true,"é":"é","old":1}""");

        var merged = await Sessions.MergePayloadAsync(made.Handle, """{"gone":null,"old":2e1,"new":{"deep":null},"never":null,"iss":null}""", Stop);

        Assert.Equal("""{"iss":"https://api/auth","n":1.10,"é":"é","old":2e1,"new":{"deep":null}}""", System.Text.RegularExpressions.Regex.Unescape(merged!));
        Assert.Equal(merged, (await Sessions.FindAsync(made.Handle, Stop))!.PayloadJson);
        Assert.Equal(merged, (await RefreshAsync(made.Tokens.Refresh.Text)).PayloadJson);
        Assert.Equal(merged, await Sessions.MergePayloadAsync(made.Handle, "{}", Stop));
        Assert.Null(await Sessions.MergePayloadAsync($"{Guid.NewGuid()}", "{}", Stop));
        Assert.Null(await Sessions.MergePayloadAsync("garbage", "{}", Stop));
    }

    [Fact]
    public async Task Merges_at_the_same_time_all_take_effect()
    {
        var made = await CreateAsync(payload: """{"iss":"https://api/auth"}""");

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Sessions.MergePayloadAsync(made.Handle, $$"""{"m{{i}}":{{i}}}""", Stop)));

        using var stored = System.Text.Json.JsonDocument.Parse((await Sessions.FindAsync(made.Handle, Stop))!.PayloadJson);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"m{i}").Append("iss").Order(StringComparer.Ordinal), stored.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_the_front_made_of_a_payload_outlasts_its_replacement()
    {
        var made = await CreateAsync(payload: """{"a":1,"iss":"https://api/auth"}""");

        Assert.True(await Sessions.UpdatePayloadAsync(made.Handle, """{"plan":"gold"}""", Stop));
        Assert.Equal("""{"iss":"https://api/auth","plan":"gold"}""", (await RefreshAsync(made.Tokens.Refresh.Text)).PayloadJson);
        Assert.True(await Sessions.UpdatePayloadAsync(made.Handle, """{"iss":"https://elsewhere","plan":"iron"}""", Stop));
        Assert.Equal("""{"iss":"https://api/auth","plan":"iron"}""", (await Sessions.FindAsync(made.Handle, Stop))!.PayloadJson);
    }

    [Fact]
    public async Task A_token_is_issued_again_with_the_payload_as_it_is_stored()
    {
        var made = await CreateAsync(payload: """{"a":1}""");
        await Sessions.MergePayloadAsync(made.Handle, """{"b":2}""", Stop);

        var again = (await Sessions.RegenerateAsync(made.Tokens.Access.Text, Stop))!;

        Assert.Equal(("""{"a":1,"b":2}""", made.Tokens.Access.ExpiresAt), (again.PayloadJson, again.AccessToken!.ExpiresAt));
        Assert.Equal("""{"a":1,"b":2}""", (await Sessions.VerifyAsync(new TokenToCheck(again.AccessToken.Text, false, null, true), Stop)).Token!.PayloadJson);
        Assert.Null(await Sessions.RegenerateAsync("garbage", Stop));
        await Sessions.RevokeAsync(made.Handle, Stop);
        Assert.Null(await Sessions.RegenerateAsync(made.Tokens.Access.Text, Stop));
    }

    [Fact]
    public async Task A_merge_that_is_not_allowed_is_refused_and_changes_nothing()
    {
        var made = await CreateAsync(payload: $$"""{"fill":"{{new string('x', 15_000)}}"}""");
        foreach (var changes in (string[])["""{"sub":"x"}""", """{"exp":null}""", $$"""{"more":"{{new string('x', 15_000)}}"}""", "[]", "{", """{"a":"\ud800"}""", """{"a":"\u0000"}"""])
        {
            Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(() => Sessions.MergePayloadAsync(made.Handle, changes, Stop))).Reason);
        }

        Assert.Equal(made.PayloadJson, (await Sessions.FindAsync(made.Handle, Stop))!.PayloadJson);
    }

    [Fact]
    public async Task A_JWT_for_another_service_is_signed_by_a_published_key_and_is_no_access_token()
    {
        var jwt = await Sessions.CreateJwtAsync(
            new JwtDraft { PayloadJson = """{"sub":"worker","scope":["a"],"sessionHandle":"x"}""", Validity = TimeSpan.FromMinutes(5), Issuer = "https://api/auth" }, Stop);

        var parts = jwt.Split('.').Take(2).Select(part => System.Text.Json.JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(part)).RootElement).ToList();
        var keys = System.Text.Encoding.UTF8.GetString((await Sessions.ReadKeysAsync(Stop)).Json.Span);
        Assert.Contains($"\"{parts[0].GetProperty("kid").GetString()}\"", keys, StringComparison.Ordinal);
        Assert.StartsWith("s-", parts[0].GetProperty("kid").GetString(), StringComparison.Ordinal);
        Assert.Equal(("https://api/auth", "worker", 300), (parts[1].GetProperty("iss").GetString(), parts[1].GetProperty("sub").GetString(), parts[1].GetProperty("exp").GetInt64() - parts[1].GetProperty("iat").GetInt64()));
        Assert.NotEqual(SessionVerdict.Ok, (await Sessions.VerifyAsync(new TokenToCheck(jwt, false, null, CheckSession: false), Stop)).Verdict);

        var rotating = await Sessions.CreateJwtAsync(new JwtDraft { Validity = TimeSpan.FromHours(1), UseStaticSigningKey = false }, Stop);
        Assert.Contains("d-", System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(rotating.Split('.')[0])), StringComparison.Ordinal);
        foreach (var validity in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(-1), TimeSpan.FromDays(40_000)])
        {
            Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(() => Sessions.CreateJwtAsync(new JwtDraft { Validity = validity }, Stop))).Reason);
        }
    }

    [Fact]
    public async Task What_is_not_allowed_is_refused_and_changes_nothing()
    {
        var made = await CreateAsync(payload: """{"a":1}""");
        var large = $$"""{"fill":"{{new string('x', 20_480)}}"}""";
        foreach (var call in (Func<Task>[])
        [
            () => CreateAsync(payload: """{"sub":"x"}"""), () => CreateAsync(payload: large), () => Sessions.UpdatePayloadAsync(made.Handle, """{"tId":"x"}""", Stop),
            () => Sessions.UpdatePayloadAsync(made.Handle, large, Stop), () => Sessions.RegenerateAsync(made.Tokens.Access.Text, """{"exp":1}""", Stop),
            () => Sessions.RegenerateAsync(made.Tokens.Access.Text, large, Stop),
            () => Sessions.CreateAsync(new SessionDraft { UserId = new string('x', 129) }, Stop), () => Sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "no-such-tenant" }, Stop),
        ])
        {
            Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(call)).Reason);
        }

        Assert.Equal("""{"a":1}""", (await Sessions.FindAsync(made.Handle, Stop))!.PayloadJson);
        Assert.Equal([made.Handle], await Sessions.ListAsync(_user, null, Stop));
    }

    [Fact]
    public async Task Who_names_what_cannot_be_is_refused_and_ends_no_session()
    {
        var made = await CreateAsync();
        const string half = "u\ud800";

        // Taken for "none" an exception would end the very session that was to live on, and half of a character would make another user's name of it.
        Func<Task>[] calls =
        [
            () => Sessions.RevokeUserAsync(_user, null, "no-handle", Stop), () => Sessions.RevokeUserAsync(_user, null, "", Stop),
            () => Sessions.RevokeUserAsync(_user, "no-such-tenant", null, Stop), () => Sessions.ListAsync(_user, "no-such-tenant", Stop),
            () => Sessions.CreateAsync(new SessionDraft { UserId = half }, Stop), () => Sessions.ListAsync(half, null, Stop), () => Sessions.RevokeUserAsync(half, null, null, Stop),
            () => Sessions.CreateAsync(new SessionDraft { UserId = "u", PayloadJson = $$"""{"a":"{{half}}"}""" }, Stop), () => Sessions.UpdatePayloadAsync(made.Handle, $$"""{"a":"{{half}}"}""", Stop),
            () => Sessions.UpdateDataAsync(made.Handle, $$"""{"a":"{{half}}"}""", Stop), () => Sessions.UpdateDataAsync(made.Handle, """{"a":"\ud800"}""", Stop),
            () => Sessions.UpdatePayloadAsync(made.Handle, """{"a":"\ud800"}""", Stop), () => Sessions.UpdateDataAsync(made.Handle, "[]", Stop), () => Sessions.UpdateDataAsync(made.Handle, "{", Stop),
        ];
        for (var call = 0; call < calls.Length; call++)
        {
            var failure = await Record.ExceptionAsync(calls[call]);
            Assert.True(failure is GridException { Reason: GridFailure.Refused }, $"Call {call}: {failure}");
        }

        Assert.True(await Sessions.IsActiveAsync(made.Handle, Stop));
        Assert.Equal("{}", (await Sessions.FindAsync(made.Handle, Stop))!.DataJson);
    }

    [Fact]
    public async Task Of_handles_that_name_nothing_nothing_is_found_changed_or_ended()
    {
        foreach (var handle in (string[])[Guid.NewGuid().ToString(), "garbage", ""])
        {
            if (handle.Length > 0)
            {
                Assert.Null(await Sessions.FindAsync(handle, Stop));
            }

            Assert.False(await Sessions.UpdateDataAsync(handle, "{}", Stop));
            Assert.False(await Sessions.UpdatePayloadAsync(handle, "{}", Stop));
            Assert.Empty((await Sessions.RevokeAsync(handle, Stop)).Handles);
        }

        Assert.Null(await Sessions.RegenerateAsync("garbage", "{}", Stop));
        Assert.Empty(await Sessions.ListAsync("nobody", null, Stop));
        Assert.Empty((await Sessions.RevokeUserAsync("nobody", null, null, Stop)).Handles);
        var id = Guid.NewGuid();
        foreach (var none in (string[])["garbage", "", $"{id}".ToUpperInvariant(), $"{id}_", $"{id}t1", $"{id:N}", $" {id}"])
        {
            Assert.Throws<ArgumentException>(() => Sessions.Watch(none));
        }
    }

    [Fact]
    public async Task A_watch_tells_the_end()
    {
        var made = await CreateAsync();
        await CheckAsync(made);
        using var watch = Sessions.Watch(made.Handle);
        var ended = new TaskCompletionSource();
        await using var registration = watch.Ended.Register(ended.SetResult);

        await Sessions.RevokeAsync(made.Handle, Stop);

        await ended.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop);
    }

    [Fact]
    public async Task A_watch_of_a_user_tells_what_happens_to_its_sessions_in_order()
    {
        if (!WatchesUsers)
        {
            Assert.Equal(GridFailure.Refused, Assert.Throws<GridException>(() => Sessions.WatchUserAsync(_user, null, Stop)).Reason);
            return;
        }

        var before = await CreateAsync();
        await using var watch = new UserEvents(Sessions.WatchUserAsync(_user, null, Stop), Stop);
        var start = await watch.NextAsync();
        var made = await CreateAsync();
        await Sessions.CreateAsync(new SessionDraft { UserId = "somebody-else" }, Stop);
        await RefreshAsync(made.Tokens.Refresh.Text);
        await Sessions.UpdatePayloadAsync(made.Handle, """{"plan":"gold"}""", Stop);
        await Sessions.UpdateDataAsync(made.Handle, """{"cart":2}""", Stop);
        var lived = (await Sessions.FindAsync(made.Handle, Stop))!;
        await Sessions.RevokeAsync(made.Handle, GridRevocationReason.SignedOut, Stop);
        SessionEvent[] told = [await watch.NextAsync(), await watch.NextAsync(), await watch.NextAsync(), await watch.NextAsync(), await watch.NextAsync()];
        await Sessions.RevokeUserAsync(_user, null, null, Stop);
        var last = await watch.NextAsync();

        Assert.Equal((SessionEventKind.Watching, _user, null), (start.Kind, start.UserId, start.Handle));
        Assert.Equal([SessionEventKind.Created, SessionEventKind.Refreshed, SessionEventKind.Changed, SessionEventKind.Changed, SessionEventKind.Ended], told.Select(one => one.Kind));
        Assert.All(told, one => Assert.Equal((made.Handle, "public", _user), (one.Handle, one.TenantId, one.UserId)));
        Assert.Equal((lived.CreatedAt, lived.ExpiresAt), (told[0].At, told[1].ExpiresAt!.Value));
        Assert.Equal(((true, false), (false, true)), ((told[2].PayloadChanged, told[2].DataChanged), (told[3].PayloadChanged, told[3].DataChanged)));
        Assert.Equal((SessionEndReason.SignedOut, null), (told[4].EndReason, told[4].ExpiresAt));
        Assert.Equal((SessionEventKind.Ended, before.Handle, SessionEndReason.Requested), (last.Kind, last.Handle, last.EndReason));
        Assert.InRange(last.At, lived.CreatedAt, lived.ExpiresAt);
    }

    [Fact]
    public async Task A_watch_in_one_tenant_tells_nothing_of_others_and_one_of_what_cannot_be_is_refused()
    {
        if (!WatchesUsers)
        {
            Assert.Equal(GridFailure.Refused, Assert.Throws<GridException>(() => Sessions.WatchUserAsync(_user, null, Stop)).Reason);
            return;
        }

        var tenant = $"t{Guid.NewGuid():N}"[..20];
        await CreateTenantAsync(tenant);
        await using var watch = new UserEvents(Sessions.WatchUserAsync(_user, tenant, Stop), Stop);
        await watch.NextAsync();
        await CreateAsync();
        var there = await Sessions.CreateAsync(new SessionDraft { UserId = _user, TenantId = tenant }, Stop);
        var created = await watch.NextAsync();
        await Sessions.RevokeTenantAsync(tenant, Stop);
        var ended = await watch.NextAsync();

        Assert.Equal((SessionEventKind.Created, there.Handle, tenant), (created.Kind, created.Handle, created.TenantId));
        Assert.Equal((SessionEventKind.Ended, there.Handle, SessionEndReason.Requested), (ended.Kind, ended.Handle, ended.EndReason));
        foreach (var (user, no) in (List<(string, string?)>)[(_user, "no-such-tenant"), ("u\ud800", null), (new string('x', 129), null)])
        {
            await using var none = new UserEvents(Sessions.WatchUserAsync(user, no, Stop), Stop);
            Assert.Equal(GridFailure.Refused, (await Assert.ThrowsAsync<GridException>(() => none.NextAsync())).Reason);
        }
    }

    private Task<CreatedSession> CreateAsync(string payload = "{}", string data = "{}", bool antiCsrf = false) => Sessions.CreateAsync(
        new SessionDraft { UserId = _user, PayloadJson = payload, DataJson = data, WithAntiCsrf = antiCsrf }, Stop);

    private ValueTask<TokenCheck> CheckAsync(CreatedSession session) => Sessions.VerifyAsync(new TokenToCheck(session.Tokens.Access.Text, false, null, CheckSession: true), Stop);

    private Task<TokenRefresh> RefreshAsync(string token) => Sessions.RefreshAsync(new TokenToRefresh(token, false, null, true), Stop);
}
