using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Storage.Tests;

/// <summary>One suite for every engine.</summary>
public sealed class SessionStoreTests(SharedPostgreSql shared)
{
    public static TheoryData<StoreEngine> Engines => [StoreEngine.Sqlite, StoreEngine.PostgreSql];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Engines))]
    public async Task What_was_inserted_is_read_back_to_the_millisecond_and_the_letter(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession(userId: "ü|:'\"\\ 用户", tenantId: "t-1", payload: """{"b":1.0,"a":1e3,"z":"\u00e9é😀","n":{"x":[1, 2]}}""")
            with
        { DataJson = """ { "spaced" : true } """, UseDynamicKey = false };

        Assert.True(await db.Store.InsertAsync(session, Stop));

        Assert.Equal(session, await db.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_linked_accounts_session_keeps_the_account_beside_the_user_whatever_is_written_with_it(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var linked = TestStore.NewSession(userId: "primary") with { RecipeUserId = "ü|account" };
        var ordered = TestStore.NewSession(userId: "primary") with { RecipeUserId = "other account" };
        var all = Enumerable.Range(0, 16).Select(i => TestStore.NewSession(userId: $"u{i}")).Append(linked).ToList();

        // At once, so that they share statements.
        Assert.All(await Task.WhenAll(all.Select(session => db.Store.InsertAsync(session, Stop).AsTask())), Assert.True);
        await db.Store.OrderAsync(new SessionOrder(ordered.Key, ordered.UserId, TestStore.Now().AddMinutes(1)), Stop);
        Assert.True(await db.Store.InsertOrderedAsync(ordered, TestStore.Now(), Stop));
        var refreshed = linked with { Version = 2, PayloadJson = """{"a":1}""" };
        Assert.True(await db.Store.UpdateAsync(refreshed, Stop));

        Assert.Equal(refreshed, await db.Store.ReadAsync(linked.Key, Stop));
        Assert.Equal(ordered, await db.Store.ReadAsync(ordered.Key, Stop));
        foreach (var session in all[..^1])
        {
            Assert.Equal(session, await db.Store.ReadAsync(session.Key, Stop));
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task An_accounts_sessions_are_listed_under_whichever_user_they_are(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var own = TestStore.NewSession(userId: "a");
        var linked = TestStore.NewSession(userId: "primary") with { RecipeUserId = "a", CreatedAt = own.CreatedAt.AddSeconds(1) };
        SessionRecord[] others =
        [
            TestStore.NewSession(userId: "primary"),
            TestStore.NewSession(userId: "primary") with { RecipeUserId = "b" },
            TestStore.NewSession(userId: "a") with { RecipeUserId = "c" },
            TestStore.NewSession(userId: "a", validity: TimeSpan.FromDays(-1)),
            linked with { Key = TestStore.NewSession().Key with { App = new AppKey("", "other") } },
        ];
        var elsewhere = linked with { Key = TestStore.NewSession(tenantId: "t1").Key, CreatedAt = own.CreatedAt.AddSeconds(2) };
        foreach (var session in others.Append(linked).Append(elsewhere).Append(own))
        {
            Assert.True(await db.Store.InsertAsync(session, Stop));
        }

        Assert.Equal([own.Key.Handle, linked.Key.Handle, elsewhere.Key.Handle], await db.Store.ListOfRecipeUserAsync(AppKey.Public, null, "a", TestStore.Now(), Stop));
        Assert.Equal([elsewhere.Key.Handle], await db.Store.ListOfRecipeUserAsync(AppKey.Public, "t1", "a", TestStore.Now(), Stop));
        Assert.Equal([others[0].Key.Handle], await db.Store.ListOfRecipeUserAsync(AppKey.Public, null, "primary", TestStore.Now(), Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_session_is_found_only_under_its_own_app_and_tenant(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);

        Assert.Null(await db.Store.ReadAsync(session.Key with { App = new AppKey("", "other") }, Stop));
        Assert.Null(await db.Store.ReadAsync(session.Key with { Handle = session.Key.Handle with { TenantId = "t1" } }, Stop));
        Assert.False(await db.Store.UpdateAsync(session with { Key = session.Key with { App = new AppKey("", "other") }, Version = 2 }, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Every_app_that_ever_had_a_session_is_listed_once(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        Assert.Empty(await db.Store.ListAppsAsync(Stop));
        AppKey shop = new("shop.example", "shop");
        foreach (var app in new[] { shop, AppKey.Public, shop })
        {
            var session = TestStore.NewSession();
            Assert.True(await db.Store.InsertAsync(session with { Key = session.Key with { App = app } }, Stop));
        }

        Assert.Equal([AppKey.Public, shop], await db.Store.ListAppsAsync(Stop));
        await RevokeAsync(db.Store, new RevocationScope.WholeApp { App = shop });
        Assert.Contains(shop, await db.Store.ListAppsAsync(Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Of_64_concurrent_first_writes_exactly_one_wins(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();

        var wins = await Task.WhenAll(Enumerable.Range(0, 64).Select(i =>
            Task.Run(() => db.Store.InsertAsync(session with { PayloadJson = $$"""{"writer":{{i}}}""" }, Stop).AsTask(), Stop)));

        var winner = Array.IndexOf(wins, true);
        Assert.Equal(1, wins.Count(won => won));
        Assert.Equal($$"""{"writer":{{winner}}}""", (await db.Store.ReadAsync(session.Key, Stop))!.PayloadJson);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Of_64_concurrent_updates_of_one_version_exactly_one_wins(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);

        var wins = await Task.WhenAll(Enumerable.Range(0, 64).Select(i =>
            Task.Run(() => db.Store.UpdateAsync(session with { Version = 2, DataJson = $$"""{"writer":{{i}}}""" }, Stop).AsTask(), Stop)));

        Assert.Equal(1, wins.Count(won => won));
        var row = (await db.Store.ReadAsync(session.Key, Stop))!;
        Assert.Equal((2, $$"""{"writer":{{Array.IndexOf(wins, true)}}}"""), (row.Version, row.DataJson));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_stale_version_is_refused(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);
        var second = session with { Version = 2, Chain = new RefreshChain(TokenHash.Of("b"), session.Chain.Current, TestStore.Now()), ExpiresAt = session.ExpiresAt.AddHours(5) };
        Assert.True(await db.Store.UpdateAsync(second, Stop));

        Assert.False(await db.Store.UpdateAsync(second with { PayloadJson = """{"stale":true}""" }, Stop));
        Assert.False(await db.Store.UpdateAsync(second with { Version = 4 }, Stop));

        Assert.Equal(second, await db.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_removed_session_comes_back_neither_by_update_nor_by_insert(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);
        var revoked = await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] });
        Assert.Equal([session.Key.Handle], revoked.Sessions);

        Assert.False(await db.Store.UpdateAsync(session with { Version = 2 }, Stop));
        Assert.False(await db.Store.InsertAsync(session, Stop));

        Assert.Null(await db.Store.ReadAsync(session.Key, Stop));
        var again = await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] });
        Assert.Empty(again.Sessions);

        // The repetition of a revocation whose answer was lost is told what is to be confirmed, and writes nothing.
        Assert.Equal(revoked.Entries, again.Entries);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_revocation_of_a_session_that_is_not_there_writes_nothing(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);

        var revoked = await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [TestStore.NewSession().Key.Handle] });

        Assert.Empty(revoked.Sessions);
        Assert.Empty(revoked.Entries);
        Assert.Equal(0, await db.Store.PurgeRevocationsAsync(TestStore.Now().AddHours(1), 10, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Who_names_a_session_under_another_app_or_tenant_writes_nothing_and_hears_nothing_of_its_end(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession(tenantId: "t1");
        await db.Store.InsertAsync(session, Stop);
        var foreign = new RevocationScope.Named { App = new AppKey("", "other"), Sessions = [session.Key.Handle] };
        var respelled = new RevocationScope.Named
        {
            App = AppKey.Public,
            Sessions = [session.Key.Handle with { TenantId = "T1" }, session.Key.Handle with { TenantId = "public" }],
        };

        foreach (var scope in new[] { foreign, respelled })
        {
            var revoked = await RevokeAsync(db.Store, scope);
            Assert.Empty(revoked.Sessions);
            Assert.Empty(revoked.Entries);
        }

        Assert.Equal(session, await db.Store.ReadAsync(session.Key, Stop));
        await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] });
        Assert.Empty((await RevokeAsync(db.Store, foreign)).Entries);
        Assert.Empty((await RevokeAsync(db.Store, respelled)).Entries);
        Assert.Equal(1, await db.Store.PurgeRevocationsAsync(TestStore.Now().AddHours(1), 10, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Some_that_are_there_and_some_that_are_not_each_get_what_is_theirs(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        SessionRecord[] sessions = [TestStore.NewSession(), TestStore.NewSession(), TestStore.NewSession(), TestStore.NewSession() with { ExpiresAt = TestStore.Now() }];
        await Task.WhenAll(sessions.Except([sessions[2]]).Select(session => db.Store.InsertAsync(session, Stop).AsTask()));
        var first = await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [sessions[0].Key.Handle] });

        var all = await RevokeAsync(db.Store, new RevocationScope.Named { App = AppKey.Public, Sessions = [.. sessions.Select(session => session.Key.Handle)] });

        Assert.Equal([sessions[1].Key.Handle], all.Sessions);
        Assert.Equal(
            new[] { sessions[0], sessions[1], sessions[3] }.Select(session => session.Key.Name.Id).Order(), all.Entries.Select(entry => entry.Session!.Value.Id).Order());
        Assert.Contains(first.Entries[0], all.Entries);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_handle_that_another_app_or_tenant_revoked_may_be_inserted(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession(tenantId: "t1");
        foreach (var other in new[] { session.Key with { App = new AppKey("", "other") }, session.Key with { Handle = session.Key.Handle with { TenantId = "t2" } } })
        {
            await db.Store.InsertAsync(session with { Key = other }, Stop);
            await RevokeAsync(db.Store, new RevocationScope.Named { App = other.App, Sessions = [other.Handle] });
        }

        Assert.True(await db.Store.InsertAsync(session, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Two_sessions_with_one_id_in_one_group_are_told_apart(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var one = TestStore.NewSession();
        var other = one with { Key = one.Key with { App = new AppKey("", "other") } };

        var inserted = await Task.WhenAll(db.Store.InsertAsync(one, Stop).AsTask(), db.Store.InsertAsync(other, Stop).AsTask());
        var updated = await Task.WhenAll(
            db.Store.UpdateAsync(one with { Version = 2 }, Stop).AsTask(), db.Store.UpdateAsync(other with { Version = 2 }, Stop).AsTask());

        Assert.Single(inserted, true);
        Assert.Equal(inserted, updated);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_session_kept_is_named_by_tenant_too(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var here = TestStore.NewSession("u");
        var there = TestStore.NewSession("u", tenantId: "t1");
        await db.Store.InsertAsync(here, Stop);
        await db.Store.InsertAsync(there, Stop);

        var revoked = await RevokeAsync(db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u", Except = there.Key.Handle });

        Assert.Equal([here.Key.Handle], revoked.Sessions);
        Assert.Equal(
            [("public", null), ("t1", there.Key.Name)], revoked.Entries.Select(entry => (entry.Tenant, entry.Kept)).OrderBy(entry => entry.Tenant, StringComparer.Ordinal));
        Assert.NotNull(await db.Store.ReadAsync(there.Key, Stop));

        revoked = await RevokeAsync(
            db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u", Except = there.Key.Handle with { TenantId = "public" } });

        Assert.Equal([there.Key.Handle], revoked.Sessions);
        Assert.Null(await db.Store.ReadAsync(there.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Of_revocations_of_one_session_at_once_one_ends_it_and_all_name_the_same_entry(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        for (var round = 0; round < 20; round++)
        {
            var session = TestStore.NewSession();
            await db.Store.InsertAsync(session, Stop);
            var scope = new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] };

            var revoked = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => RevokeAsync(db.Store, scope), Stop)));

            Assert.Single(revoked, one => one.Sessions.Length == 1);
            Assert.Single(revoked.Select(one => Assert.Single(one.Entries)).Distinct());
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Revoking_a_user_ends_this_tenant_only_and_raises_the_epoch(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var here = TestStore.NewSession("u");
        var there = TestStore.NewSession("u", tenantId: "t1");
        await db.Store.InsertAsync(here, Stop);
        await db.Store.InsertAsync(there, Stop);

        var revoked = await RevokeAsync(db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = "public", UserId = "u" });

        Assert.Equal([here.Key.Handle], revoked.Sessions);
        Assert.NotNull(await db.Store.ReadAsync(there.Key, Stop));
        var next = TestStore.NewSession("u");
        await db.Store.InsertAsync(next, Stop);
        Assert.Equal(1, (await db.Store.ReadAsync(next.Key, Stop))!.UserEpoch);
        Assert.Equal(0, (await db.Store.ReadAsync(there.Key, Stop))!.UserEpoch);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task All_but_one_keeps_that_one_in_the_new_epoch(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var kept = TestStore.NewSession("u");
        var other = TestStore.NewSession("u");
        await db.Store.InsertAsync(kept, Stop);
        await db.Store.InsertAsync(other, Stop);

        var revoked = await RevokeAsync(
            db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u", Except = kept.Key.Handle });

        Assert.Equal([other.Key.Handle], revoked.Sessions);
        Assert.True(revoked.Entries[^1].Position > 0);
        var row = (await db.Store.ReadAsync(kept.Key, Stop))!;
        Assert.Equal((1, 2), (row.UserEpoch, row.Version));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_tenant_and_an_app_end_as_a_whole(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var app = new AppKey("", "a1");
        var inTenant = TestStore.NewSession(tenantId: "t1", app: app);
        var inPublic = TestStore.NewSession(app: app);
        var elsewhere = TestStore.NewSession();
        foreach (var session in new[] { inTenant, inPublic, elsewhere })
        {
            await db.Store.InsertAsync(session, Stop);
        }

        await RevokeAsync(db.Store, new RevocationScope.Tenant { App = app, TenantId = "t1" });
        Assert.Null(await db.Store.ReadAsync(inTenant.Key, Stop));
        Assert.NotNull(await db.Store.ReadAsync(inPublic.Key, Stop));

        await RevokeAsync(db.Store, new RevocationScope.WholeApp { App = app });
        Assert.Null(await db.Store.ReadAsync(inPublic.Key, Stop));
        Assert.NotNull(await db.Store.ReadAsync(elsewhere.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Creates_that_race_with_revoke_all_either_die_or_belong_to_the_new_epoch(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        for (var round = 0; round < 10; round++)
        {
            var user = $"u{round}";
            await db.Store.InsertAsync(TestStore.NewSession(user), Stop);
            SessionRecord[] racing = [.. Enumerable.Range(0, 20).Select(_ => TestStore.NewSession(user))];
            var creates = racing.Select(s => Task.Run(() => db.Store.InsertAsync(s, Stop).AsTask(), Stop)).ToList();
            var revoke = RevokeAsync(db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = user });
            await Task.WhenAll([.. creates, revoke]);

            foreach (var session in racing)
            {
                var row = await db.Store.ReadAsync(session.Key, Stop);
                Assert.True(row is null || row.UserEpoch == 1, "a session of the old epoch outlived the revocation");
            }
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Lists_are_oldest_first_and_leave_out_what_expired(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var now = TestStore.Now();
        var old = TestStore.NewSession("u") with { CreatedAt = now.AddMinutes(-2) };
        var tenant = TestStore.NewSession("u", tenantId: "t1") with { CreatedAt = now.AddMinutes(-1) };
        var expired = TestStore.NewSession("u") with { ExpiresAt = now };
        foreach (var session in new[] { expired, tenant, old })
        {
            await db.Store.InsertAsync(session, Stop);
        }

        Assert.Equal([old.Key.Handle, tenant.Key.Handle], await db.Store.ListAsync(AppKey.Public, null, "u", now, Stop));
        Assert.Equal([tenant.Key.Handle], await db.Store.ListAsync(AppKey.Public, "t1", "u", now, Stop));
        Assert.Empty(await db.Store.ListAsync(new AppKey("", "other"), null, "u", now, Stop));
        var revoked = await RevokeAsync(db.Store, new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u" });
        Assert.DoesNotContain(expired.Key.Handle, revoked.Sessions);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task The_purge_takes_expired_rows_in_batches_and_nothing_else(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var alive = TestStore.NewSession(validity: TimeSpan.FromDays(2));
        await db.Store.InsertAsync(alive, Stop);
        foreach (var _ in Enumerable.Range(0, 5))
        {
            await db.Store.InsertAsync(TestStore.NewSession(validity: TimeSpan.FromMinutes(1)), Stop);
        }

        var later = TestStore.Now().AddHours(2);
        Assert.Equal(3, await db.Store.PurgeExpiredAsync(later, 3, Stop));
        Assert.Equal(2, await db.Store.PurgeExpiredAsync(later, 3, Stop));
        Assert.Equal(0, await db.Store.PurgeExpiredAsync(later, 3, Stop));
        Assert.NotNull(await db.Store.ReadAsync(alive.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task The_revocation_log_is_purged_by_age(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        await RevokeAsync(db.Store, new RevocationScope.WholeApp { App = AppKey.Public });

        Assert.Equal(0, await db.Store.PurgeRevocationsAsync(TestStore.Now().AddHours(-1), 10, Stop));
        Assert.Equal(1, await db.Store.PurgeRevocationsAsync(TestStore.Now().AddHours(1), 10, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_thousand_mixed_requests_at_once_each_get_their_own_answer(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        SessionRecord[] sessions = [.. Enumerable.Range(0, 1000).Select(i => TestStore.NewSession(payload: $$"""{"n":{{i}}}"""))];
        Assert.All(await Task.WhenAll(sessions.Select(s => db.Store.InsertAsync(s, Stop).AsTask())), Assert.True);

        var rows = await Task.WhenAll(sessions.Select(s => Task.Run(() => db.Store.ReadAsync(s.Key, Stop).AsTask(), Stop)));
        var updated = await Task.WhenAll(sessions.Select((s, i) => db.Store.UpdateAsync(s with { Version = i % 2 == 0 ? 2 : 3 }, Stop).AsTask()));

        Assert.Equal(sessions, rows);
        Assert.Equal(sessions.Select((_, i) => i % 2 == 0), updated);
    }

    private static Task<RevokedSessions> RevokeAsync(ISessionStore store, RevocationScope scope) =>
        store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop).AsTask();
}
