using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Storage.Tests;

/// <summary>What an import adds comes once, whatever becomes of it.</summary>
public sealed class ImportStoreTests(SharedPostgreSql shared)
{
    private static readonly ImportedSessions One = new(1, 0, 0, 0);
    private static readonly ImportedSessions Unchanged = new(0, 0, 0, 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Engines))]
    public async Task A_session_comes_with_its_previous_token_and_twice_is_once(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var rotatedAt = TestStore.Now() - TimeSpan.FromSeconds(5);
        var session = TestStore.NewSession(tenantId: "t1", payload: """{"a":1}""") with { Chain = new RefreshChain(TokenHash.Of("new"), TokenHash.Of("old"), rotatedAt), UseDynamicKey = false };

        Assert.Equal(One, await test.Imports.AddAsync([session], null, Stop));
        Assert.Equal(session, await test.Store.ReadAsync(session.Key, Stop));
        Assert.Equal(Unchanged, await test.Imports.AddAsync([session], null, Stop));
        Assert.Equal(session, await test.Store.ReadAsync(session.Key, Stop));
        Assert.Equal([session.Key], await test.Imports.FindKnownAsync([session.Key, TestStore.NewSession().Key], Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_session_that_ended_here_never_comes_again_even_when_the_log_has_forgotten_it(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (byHandle, byUser) = (TestStore.NewSession(), TestStore.NewSession(userId: "u1"));
        await test.Imports.AddAsync([byHandle, byUser], null, Stop);
        await test.Store.RevokeAsync(new RevocationScope.Named { App = AppKey.Public, Sessions = [byHandle.Key.Handle] }, RevocationReason.Requested, TestStore.Now(), Stop);
        await test.Store.RevokeAsync(new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u1" }, RevocationReason.Requested, TestStore.Now(), Stop);
        Assert.Equal(2, await test.Store.PurgeRevocationsAsync(TestStore.Now() + TimeSpan.FromDays(1), 10, Stop));

        Assert.Equal(new ImportedSessions(0, 0, 0, 2), await test.Imports.AddAsync([byHandle, byUser], null, Stop));
        Assert.Null(await test.Store.ReadAsync(byHandle.Key, Stop));
        Assert.Null(await test.Store.ReadAsync(byUser.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_user_whose_sessions_were_all_ended_here_gets_none_of_those_that_had_not_come_yet(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (first, late, other) = (TestStore.NewSession(userId: "u1"), TestStore.NewSession(userId: "u1"), TestStore.NewSession(userId: "u2"));
        await test.Imports.AddAsync([first], null, Stop);
        await test.Store.RevokeAsync(new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u1" }, RevocationReason.Requested, TestStore.Now(), Stop);

        Assert.Equal(new ImportedSessions(1, 0, 1, 0), await test.Imports.AddAsync([late, other], null, Stop));
        Assert.Equal(Unchanged, await test.Imports.AddAsync([late], null, Stop));
        Assert.Null(await test.Store.ReadAsync(late.Key, Stop));
        Assert.NotNull(await test.Store.ReadAsync(other.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task What_had_not_come_when_its_whole_tenant_or_app_was_revoked_never_comes(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (early, late, elsewhere) = (TestStore.NewSession(tenantId: "t1"), TestStore.NewSession(tenantId: "t1"), TestStore.NewSession(tenantId: "t2"));
        await test.Imports.AddAsync([early], null, Stop);
        await test.Store.RevokeAsync(new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t1" }, RevocationReason.Requested, TestStore.Now(), Stop);

        // Repeated, and long forgotten.
        await test.Store.RevokeAsync(new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t1" }, RevocationReason.Requested, TestStore.Now(), Stop);
        Assert.Equal(2, await test.Store.PurgeRevocationsAsync(TestStore.Now() + TimeSpan.FromDays(1), 10, Stop));
        Assert.Equal(new ImportedSessions(1, 0, 1, 1), await test.Imports.AddAsync([early, late, elsewhere], null, Stop));
        Assert.Null(await test.Store.ReadAsync(early.Key, Stop));
        Assert.Null(await test.Store.ReadAsync(late.Key, Stop));
        Assert.NotNull(await test.Store.ReadAsync(elsewhere.Key, Stop));

        await test.Store.RevokeAsync(new RevocationScope.WholeApp { App = AppKey.Public }, RevocationReason.BackupRestored, TestStore.Now(), Stop);
        var last = TestStore.NewSession(tenantId: "t3");
        Assert.Equal(new ImportedSessions(0, 0, 1, 0), await test.Imports.AddAsync([last], null, Stop));
        Assert.Null(await test.Store.ReadAsync(last.Key, Stop));

        // A sign-in after it is not of an earlier life.
        var fresh = TestStore.NewSession(tenantId: "t1");
        Assert.True(await test.Store.InsertAsync(fresh, Stop));
        Assert.NotNull(await test.Store.ReadAsync(fresh.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Whichever_is_first_an_import_or_the_end_of_its_whole_tenant_nothing_is_left(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        for (var round = 0; round < 20; round++)
        {
            var tenant = $"t{round}";
            SessionRecord[] sessions = [.. Enumerable.Range(0, 20).Select(i => TestStore.NewSession(tenantId: tenant, userId: $"u{i % 7}"))];
            RevocationScope scope = round == 19 ? new RevocationScope.WholeApp { App = AppKey.Public } : new RevocationScope.Tenant { App = AppKey.Public, TenantId = tenant };
            await Task.WhenAll(
                Task.Run(() => test.Imports.AddAsync(sessions[..10], null, Stop), Stop),
                Task.Run(async () => await test.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop), Stop),
                Task.Run(() => test.Imports.AddAsync(sessions[10..], null, Stop), Stop));
            foreach (var session in sessions)
            {
                Assert.Null(await test.Store.ReadAsync(session.Key, Stop));
            }
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_tenant_that_is_made_takes_in_what_it_had_elsewhere(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());

        // What a former tenant of that name may have left ends when one is made.
        await test.Store.RevokeAsync(new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t1", IsBeingMade = true }, RevocationReason.TenantRemoved, TestStore.Now(), Stop);
        Assert.Equal(One, await test.Imports.AddAsync([TestStore.NewSession(tenantId: "t1")], null, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_tenant_or_app_that_was_removed_and_is_made_again_takes_in_nothing(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var app = new AppKey("", "a1");
        foreach (var isBeingMade in (bool[])[true, false, true])
        {
            await test.Store.RevokeAsync(new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t1", IsBeingMade = isBeingMade }, RevocationReason.TenantRemoved, TestStore.Now(), Stop);
            await test.Store.RevokeAsync(new RevocationScope.WholeApp { App = app, IsBeingMade = isBeingMade }, RevocationReason.AppRemoved, TestStore.Now(), Stop);
        }

        Assert.Equal(new ImportedSessions(1, 0, 2, 0), await test.Imports.AddAsync([Original(tenantId: "t1"), Original(app: app), Original(tenantId: "t2")], null, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_tenant_that_is_made_after_something_of_it_came_still_takes_in_the_rest(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());

        // Read-through takes in who is asked for, also of a tenant that nobody has made here yet.
        await test.Imports.AddAsync([Original(tenantId: "t1")], null, Stop);
        await test.Store.RevokeAsync(new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t1", IsBeingMade = true }, RevocationReason.TenantRemoved, TestStore.Now(), Stop);
        Assert.Equal(One, await test.Imports.AddAsync([Original(tenantId: "t1")], null, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_user_whom_nobody_here_had_seen_when_all_its_sessions_were_ended_gets_none_in_any_tenant(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var everywhere = new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u1" };
        var inOne = new RevocationScope.User { App = AppKey.Public, TenantId = "t1", UserId = "u2" };
        foreach (var scope in (RevocationScope.User[])[everywhere, everywhere, inOne])
        {
            var revoked = await test.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop);
            Assert.Empty(revoked.Sessions);

            // Nobody holds anything of a user everywhere whom nobody has seen anywhere: there is nothing to tell.
            Assert.Equal(scope.TenantId is null ? 0 : 1, revoked.Entries.Length);
        }

        await test.Store.PurgeRevocationsAsync(TestStore.Now() + TimeSpan.FromDays(1), 10, Stop);
        SessionRecord[] refused = [Original("u1"), Original("u1", "t1"), Original("u2", "t1")];
        SessionRecord[] added = [Original("u2"), Original("u3", "t1"), Original("u1", app: new AppKey("", "a1"))];
        Assert.Equal(new ImportedSessions(3, 0, 3, 0), await test.Imports.AddAsync([.. refused, .. added], null, Stop));
        foreach (var session in refused)
        {
            Assert.Null(await test.Store.ReadAsync(session.Key, Stop));
        }

        // Who signs in afterwards is not of an earlier life.
        var fresh = TestStore.NewSession("u1");
        Assert.True(await test.Store.InsertAsync(fresh, Stop));
        Assert.NotNull(await test.Store.ReadAsync(fresh.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Who_ends_the_sessions_of_one_account_of_a_user_ends_those_by_it_that_had_not_come(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        foreach (var scope in (RevocationScope.User[])[new() { App = AppKey.Public, TenantId = null, UserId = "a1" }, new() { App = AppKey.Public, TenantId = "t1", UserId = "a2" }])
        {
            await test.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop);
        }

        SessionRecord[] refused = [Of("a1"), Of("a1", "t1"), Of("a2", "t1")];
        SessionRecord[] added = [Of(null), Of("a2"), Of("a3", "t1")];
        Assert.Equal(new ImportedSessions(3, 0, 3, 0), await test.Imports.AddAsync([.. refused, .. added], null, Stop));
        foreach (var session in refused)
        {
            Assert.Null(await test.Store.ReadAsync(session.Key, Stop));
        }

        static SessionRecord Of(string? account, string tenantId = TenantKey.PublicId) => Original("u1", tenantId) with { RecipeUserId = account };
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Whichever_is_first_an_import_or_the_end_of_an_account_nothing_by_it_is_left(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        for (var round = 0; round < 10; round++)
        {
            var scope = new RevocationScope.User { App = AppKey.Public, TenantId = round % 2 == 0 ? null : "t1", UserId = $"a{round}" };
            SessionRecord[] sessions = [.. Enumerable.Range(0, 20).Select(i => Original($"u{round}", "t1") with { RecipeUserId = $"a{round}" })];
            var added = test.Imports.AddAsync(sessions, null, Stop);
            var revoked = Task.Run(async () => await test.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop), Stop);
            await Task.WhenAll(added, revoked);

            // What came first was there to be named by whoever ends an account's sessions; what did not come never does.
            var left = await ((IRecipeUserSessions)test.Store).ListOfRecipeUserAsync(AppKey.Public, "t1", $"a{round}", TestStore.Now(), Stop);
            Assert.Equal((await added).Added, left.Length);
            Assert.Contains(left.Length, (int[])[0, sessions.Length]);
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task All_but_one_of_a_users_sessions_end_with_those_that_had_not_come(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (kept, late) = (Original("u1"), Original("u1", "t1"));
        await test.Imports.AddAsync([kept], null, Stop);
        await test.Store.RevokeAsync(
            new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u1", Except = kept.Key.Handle }, RevocationReason.Requested, TestStore.Now(), Stop);

        Assert.Equal(new ImportedSessions(0, 0, 1, 1), await test.Imports.AddAsync([kept, late], null, Stop));
        Assert.NotNull(await test.Store.ReadAsync(kept.Key, Stop));
        Assert.Null(await test.Store.ReadAsync(late.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_session_that_was_revoked_before_it_came_never_comes_even_when_the_log_has_forgotten_it(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (named, elsewhere, other) = (Original(tenantId: "t1"), Original(), Original());
        var revoked = await test.Store.RevokeAsync(
            new RevocationScope.Named { App = AppKey.Public, Sessions = [named.Key.Handle, elsewhere.Key.Handle with { TenantId = "t1" }] }, RevocationReason.Requested, TestStore.Now(), Stop);
        Assert.Empty(revoked.Sessions);
        Assert.Empty(revoked.Entries);
        Assert.Equal([named.Key], await test.Imports.FindKnownAsync([named.Key, elsewhere.Key, other.Key], Stop));

        // Longer than any original's session lives.
        await test.Imports.PurgeAsync(TestStore.Now() + TimeSpan.FromDays(300), 10, Stop);
        Assert.Equal(new ImportedSessions(2, 0, 0, 1), await test.Imports.AddAsync([named, elsewhere, other], null, Stop));
        Assert.Null(await test.Store.ReadAsync(named.Key, Stop));
        Assert.NotNull(await test.Store.ReadAsync(elsewhere.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Naming_sessions_that_nobody_knows_leaves_notes_only_of_those_that_could_come_and_the_purge_takes_them(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (own, original) = (TestStore.NewSession().Key, Original().Key);
        await test.Store.RevokeAsync(new RevocationScope.Named { App = AppKey.Public, Sessions = [own.Handle, original.Handle] }, RevocationReason.Requested, TestStore.Now(), Stop);
        await test.Store.RevokeAsync(new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u1" }, RevocationReason.Requested, TestStore.Now(), Stop);

        Assert.Equal([original], await test.Imports.FindKnownAsync([own, original], Stop));
        Assert.Equal(2, await test.Imports.PurgeAsync(TestStore.Now() + TimeSpan.FromDays(366), 10, Stop));
        Assert.Empty(await test.Imports.FindKnownAsync([own, original], Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Whichever_is_first_an_import_or_the_end_of_a_user_or_of_a_session_nothing_is_left(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        for (var round = 0; round < 20; round++)
        {
            SessionRecord[] sessions = [.. Enumerable.Range(0, 20).Select(i => Original($"u{round}", $"t{i % 3}"))];
            RevocationScope scope = round % 2 == 0
                ? new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = $"u{round}" }
                : new RevocationScope.Named { App = AppKey.Public, Sessions = [.. sessions.Select(session => session.Key.Handle)] };
            await Task.WhenAll(
                Task.Run(() => test.Imports.AddAsync(sessions[..10], null, Stop), Stop),
                Task.Run(async () => await test.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop), Stop),
                Task.Run(() => test.Imports.AddAsync(sessions, null, Stop), Stop));
            foreach (var session in sessions)
            {
                Assert.Null(await test.Store.ReadAsync(session.Key, Stop));
            }
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_note_lasts_as_long_as_the_original_last_let_its_session_live(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var session = Original();
        await test.Imports.AddAsync([session], null, Stop);
        await test.Store.RevokeAsync(new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] }, RevocationReason.Requested, TestStore.Now(), Stop);
        await test.Imports.AddAsync([session with { ExpiresAt = session.ExpiresAt.AddDays(500) }], null, Stop);

        await test.Imports.PurgeAsync(session.ExpiresAt.AddDays(499), 10, Stop);
        Assert.Equal([session.Key], await test.Imports.FindKnownAsync([session.Key], Stop));
    }

    [Fact]
    public async Task What_a_session_costs_does_not_grow_with_what_came_before()
    {
        const int Times = 20;
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        StoreMigrator.For(options).Apply();

        // What the migration read is counted when the server has ended its connection.
        for (var tries = 0; await ReadAsync("SELECT count(*), 0::bigint FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") is not (0, _); tries++)
        {
            Assert.True(tries < 1200);
            await Task.Delay(100, Stop);
        }

        var (before, _) = await ScansAsync();
        await using var test = TestStore.Open(options, new TestStore.StillTime());
        for (var i = 0; i < Times; i++)
        {
            await test.Imports.AddAsync([Original()], null, Stop);
        }

        // The server counts what a connection did when it is closed at the latest.
        await test.CloseAsync();
        var (whole, byIndex) = await ScansAsync();
        for (var tries = 0; byIndex < Times; tries++)
        {
            Assert.True(tries < 1200, $"Looked up by index: {byIndex}.");
            await Task.Delay(100, Stop);
            (whole, byIndex) = await ScansAsync();
        }

        Assert.Equal(before, whole);

        Task<(long Whole, long ByIndex)> ScansAsync() => ReadAsync("SELECT seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'grid_imported_session'");

        async Task<(long First, long Second)> ReadAsync(string sql)
        {
            await using var connection = new Npgsql.NpgsqlConnection(options.ConnectionString);
            await connection.OpenAsync(Stop);
            await using var read = new Npgsql.NpgsqlCommand(sql, connection);
            await using var row = await read.ExecuteReaderAsync(Stop);
            Assert.True(await row.ReadAsync(Stop));
            return (row.GetInt64(0), row.GetInt64(1));
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_linked_accounts_session_comes_under_its_user_and_keeps_the_account(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var session = TestStore.NewSession(userId: "primary") with { RecipeUserId = "account" };
        var other = TestStore.NewSession(userId: "primary");
        await test.Imports.AddAsync([session, other], null, Stop);
        Assert.Equal(session, await test.Store.ReadAsync(session.Key, Stop));
        Assert.Equal(other, await test.Store.ReadAsync(other.Key, Stop));

        var renewed = session with { PayloadJson = """{"a":2}""" };
        Assert.Equal(new ImportedSessions(0, 1, 0, 1), await test.Imports.AddAsync([renewed, other], null, Stop));
        Assert.Equal(renewed with { Version = 2 }, await test.Store.ReadAsync(session.Key, Stop));
        Assert.Equal(new ImportedSessions(0, 1, 0, 1), await test.Imports.AddAsync([renewed, other with { RecipeUserId = "own" }], null, Stop));
        Assert.Equal("own", (await test.Store.ReadAsync(other.Key, Stop))!.RecipeUserId);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Only_a_session_that_nobody_has_changed_here_is_renewed(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var session = TestStore.NewSession();
        await test.Imports.AddAsync([session], null, Stop);
        for (var round = 1; round <= 2; round++)
        {
            var rotated = session with { Chain = new RefreshChain(TokenHash.Of($"rotated {round}")), ExpiresAt = session.ExpiresAt.AddHours(round), PayloadJson = $$"""{"round":{{round}}}""" };
            Assert.Equal(new ImportedSessions(0, 1, 0, 0), await test.Imports.AddAsync([rotated], null, Stop));
            Assert.Equal(Unchanged, await test.Imports.AddAsync([rotated], null, Stop));
            Assert.Equal(rotated with { Version = 1 + round }, await test.Store.ReadAsync(session.Key, Stop));
        }

        var here = (await test.Store.ReadAsync(session.Key, Stop))! with { Version = 4, Chain = new RefreshChain(TokenHash.Of("of Grid")) };
        Assert.True(await test.Store.UpdateAsync(here, Stop));
        Assert.Equal(Unchanged, await test.Imports.AddAsync([session], null, Stop));
        Assert.Equal(here, await test.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task How_far_an_import_is_is_kept_with_its_sessions(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        Assert.Null(await test.Imports.ReadProgressAsync("s1", Stop));
        foreach (var progress in (ImportProgress[])[new("s1", "public", "t1", "h1", false), new("s1", "public", "t2", "h2", true)])
        {
            await test.Imports.AddAsync([TestStore.NewSession()], progress, Stop);
            Assert.Equal(progress, await test.Imports.ReadProgressAsync("s1", Stop));
        }

        Assert.Equal(default, await test.Imports.AddAsync([], new ImportProgress("s2", "", "", "", true), Stop));
        Assert.True((await test.Imports.ReadProgressAsync("s2", Stop))!.IsComplete);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_key_is_laid_ready_once_in_the_life_of_its_app(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        StoredKey[] keys = [Key("d-1", KeyKind.Dynamic, TestStore.Now()), Key("s-1", KeyKind.Static, null), Key("r-1", KeyKind.ImportedRefresh, null)];

        Assert.Equal(3, await test.Imports.StageKeysAsync("a1", keys, Stop));
        Assert.Equal(0, await test.Imports.StageKeysAsync("a1", keys, Stop));
        Assert.Equal(keys.Select(Text), (await test.Imports.ReadStagedKeysAsync("a1", Stop)).OrderBy(key => key.Kind switch { KeyKind.Dynamic => 0, KeyKind.Static => 1, _ => 2 }).Select(Text));
        await test.Imports.SettleKeysAsync("a1", ["d-1"], Stop);
        Assert.Equal(2, (await test.Imports.ReadStagedKeysAsync("a1", Stop)).Length);

        // Sealed anew, unless somebody was faster or the app has it by now.
        Assert.Equal(["a1"], await test.Imports.ReadStagedAppsAsync(Stop));
        Assert.True(await test.Imports.ReplaceStagedKeyAsync("a1", keys[1] with { Secret = [4] }, [1, 2, 3], Stop));
        Assert.False(await test.Imports.ReplaceStagedKeyAsync("a1", keys[1] with { Secret = [5] }, [1, 2, 3], Stop));
        Assert.False(await test.Imports.ReplaceStagedKeyAsync("a1", keys[0] with { Secret = [5] }, [1, 2, 3], Stop));
        Assert.Equal([4], (await test.Imports.ReadStagedKeysAsync("a1", Stop)).Single(key => key.Kid == "s-1").Secret);
        await test.Imports.SettleKeysAsync("a1", null, Stop);
        Assert.Empty(await test.Imports.ReadStagedKeysAsync("a1", Stop));
        Assert.Empty(await test.Imports.ReadStagedAppsAsync(Stop));
        Assert.Equal(0, await test.Imports.StageKeysAsync("a1", keys, Stop));
        Assert.Equal(["d-1", "r-1", "s-1"], (await test.Imports.ReadKeyIdsAsync("a1", Stop)).Order());
        Assert.Equal(1, await test.Imports.StageKeysAsync("a2", keys[..1], Stop));

        static StoredKey Key(string kid, KeyKind kind, DateTimeOffset? end) =>
            new() { Kid = kid, Kind = kind, SignsFrom = DateTimeOffset.UnixEpoch, VerifiesUntil = end, Secret = [1, 2, 3] };

        static string Text(StoredKey key) => $"{key.Kid} {key.Kind} {key.SignsFrom:O} {key.VerifiesUntil:O} {Convert.ToHexString(key.Secret)}";
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Notes_go_when_the_original_has_expired_long_ago(StoreEngine engine)
    {
        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (old, young) = (TestStore.NewSession(validity: TimeSpan.FromHours(1)), TestStore.NewSession(validity: TimeSpan.FromHours(3)));
        await test.Imports.AddAsync([old, young], null, Stop);

        Assert.Equal(1, await test.Imports.PurgeAsync(TestStore.Now() + TimeSpan.FromHours(2), 10, Stop));
        Assert.Equal([young.Key], await test.Imports.FindKnownAsync([old.Key, young.Key], Stop));
    }

    // As the original makes its handles.
    private static SessionRecord Original(string? userId = null, string tenantId = TenantKey.PublicId, AppKey? app = null)
    {
        var session = TestStore.NewSession(userId, tenantId, app);
        return session with { Key = session.Key with { Handle = new SessionHandle(Guid.NewGuid(), tenantId) } };
    }

    public static TheoryData<StoreEngine> Engines() => [StoreEngine.Sqlite, StoreEngine.PostgreSql];
}
