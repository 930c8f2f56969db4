using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Storage.Tests;

/// <summary>Permits to make a session whose handle was given out beforehand, on every engine.</summary>
public sealed class OrderTests(SharedPostgreSql shared)
{
    public static TheoryData<StoreEngine> Engines => [StoreEngine.Sqlite, StoreEngine.PostgreSql];

    public static TheoryData<StoreEngine, string> WideRevocations
    {
        get
        {
            var data = new TheoryData<StoreEngine, string>();
            foreach (var engine in (StoreEngine[])[StoreEngine.Sqlite, StoreEngine.PostgreSql])
            {
                foreach (var scope in (string[])["user", "user everywhere", "tenant", "app"])
                {
                    data.Add(engine, scope);
                }
            }

            return data;
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Engines))]
    public async Task A_permit_makes_one_session_however_many_ask_at_once(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        await OrderAsync(db, session);

        var made = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ =>
            Task.Run(() => db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop).AsTask(), Stop)));

        Assert.Equal(1, made.Count(won => won));
        Assert.Equal(session, await db.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(WideRevocations))]
    public async Task A_used_permit_brings_nothing_back_after_a_wide_revocation(StoreEngine engine, string scope)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession(tenantId: "t1");
        await OrderAsync(db, session);
        Assert.True(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));

        await db.Store.RevokeAsync(Scope(scope, session), RevocationReason.Requested, TestStore.Now(), Stop);

        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        Assert.Null(await db.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(WideRevocations))]
    public async Task A_wide_revocation_between_order_and_use_wins(StoreEngine engine, string scope)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession(tenantId: "t1");
        var later = session with { Key = session.Key with { Handle = SessionHandle.Create("t1", TestStore.Now()) } };
        await OrderAsync(db, session);

        await db.Store.RevokeAsync(Scope(scope, session), RevocationReason.Requested, TestStore.Now(), Stop);
        await OrderAsync(db, later);

        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        Assert.Null(await db.Store.ReadAsync(session.Key, Stop));
        Assert.True(await db.Store.InsertOrderedAsync(later, TestStore.Now(), Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Revoking_the_ordered_handle_voids_the_permit_though_the_log_is_purged(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await OrderAsync(db, session);

        await db.Store.RevokeAsync(Named(session), RevocationReason.Requested, TestStore.Now(), Stop);
        await db.Store.PurgeRevocationsAsync(TestStore.Now().AddDays(1), 100, Stop);

        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        Assert.Null(await db.Store.ReadAsync(session.Key, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_used_permit_brings_nothing_back_though_row_and_log_are_purged(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var expired = TestStore.NewSession(validity: TimeSpan.FromSeconds(-1));
        var revoked = TestStore.NewSession();
        foreach (var session in (SessionRecord[])[expired, revoked])
        {
            await OrderAsync(db, session);
            Assert.True(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        }

        await db.Store.RevokeAsync(Named(revoked), RevocationReason.Requested, TestStore.Now(), Stop);
        await db.Store.PurgeExpiredAsync(TestStore.Now().AddHours(2), 100, Stop);
        await db.Store.PurgeRevocationsAsync(TestStore.Now().AddDays(1), 100, Stop);

        Assert.False(await db.Store.InsertOrderedAsync(expired, TestStore.Now(), Stop));
        Assert.False(await db.Store.InsertOrderedAsync(revoked, TestStore.Now(), Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_permit_is_good_for_its_app_tenant_user_and_time_only(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await OrderAsync(db, session);
        var otherApp = session with { Key = session.Key with { App = new AppKey("", "other") } };
        var otherTenant = session with { Key = session.Key with { Handle = session.Key.Handle with { TenantId = "t1" } } };

        Assert.False(await db.Store.InsertOrderedAsync(otherApp, TestStore.Now(), Stop));
        Assert.False(await db.Store.InsertOrderedAsync(otherTenant, TestStore.Now(), Stop));
        await db.Store.RevokeAsync(Named(otherApp), RevocationReason.Requested, TestStore.Now(), Stop);
        await db.Store.RevokeAsync(Named(otherTenant), RevocationReason.Requested, TestStore.Now(), Stop);
        Assert.True(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));

        var second = TestStore.NewSession();
        await OrderAsync(db, second);
        Assert.False(await db.Store.InsertOrderedAsync(second with { UserId = "somebody else" }, TestStore.Now(), Stop));
        var third = TestStore.NewSession();
        await OrderAsync(db, third);
        Assert.False(await db.Store.InsertOrderedAsync(third, TestStore.Now().AddMinutes(1), Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task The_ordered_session_that_shall_live_on_can_still_be_made(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var kept = TestStore.NewSession(userId: "u");
        var other = TestStore.NewSession(userId: "u");
        await OrderAsync(db, kept);
        await OrderAsync(db, other);

        await db.Store.RevokeAsync(
            new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = "u", Except = kept.Key.Handle }, RevocationReason.Requested, TestStore.Now(), Stop);

        Assert.True(await db.Store.InsertOrderedAsync(kept, TestStore.Now(), Stop));
        Assert.False(await db.Store.InsertOrderedAsync(other, TestStore.Now(), Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Redemptions_that_race_revocations_leave_no_session_that_was_ordered_before(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        for (var round = 0; round < 40; round++)
        {
            var session = TestStore.NewSession(userId: "u", tenantId: "t1");
            await OrderAsync(db, session);
            var scope = (round % 4) switch
            {
                0 => Scope("user", session),
                1 => Scope("user everywhere", session),
                2 => Scope("tenant", session),
                _ => Named(session),
            };

            await Task.WhenAll(
                Task.Run(() => db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop).AsTask(), Stop),
                Task.Run(() => db.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop).AsTask(), Stop));

            Assert.Null(await db.Store.ReadAsync(session.Key, Stop));
            Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Permits_that_nobody_used_are_purged(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await OrderAsync(db, session);

        Assert.Equal(0, await db.Store.PurgeOrdersAsync(TestStore.Now(), 10, Stop));
        Assert.Equal(1, await db.Store.PurgeOrdersAsync(TestStore.Now().AddMinutes(2), 10, Stop));
        Assert.False(await db.Store.InsertOrderedAsync(session, TestStore.Now(), Stop));
    }

    private static async Task OrderAsync(TestStore db, SessionRecord session) =>
        await db.Store.OrderAsync(new SessionOrder(session.Key, session.UserId, TestStore.Now().AddSeconds(60)), Stop);

    private static RevocationScope.Named Named(SessionRecord session) => new() { App = session.Key.App, Sessions = [session.Key.Handle] };

    private static RevocationScope Scope(string scope, SessionRecord session)
    {
        var (app, tenant) = (session.Key.App, session.Key.Handle.TenantId);
        return scope switch
        {
            "user" => new RevocationScope.User { App = app, TenantId = tenant, UserId = session.UserId },
            "user everywhere" => new RevocationScope.User { App = app, TenantId = null, UserId = session.UserId },
            "tenant" => new RevocationScope.Tenant { App = app, TenantId = tenant },
            _ => new RevocationScope.WholeApp { App = app },
        };
    }
}
