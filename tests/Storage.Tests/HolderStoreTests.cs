using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>The registry of holders and the log's reader, on both engines.</summary>
public sealed class HolderStoreTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_holder_is_listed_counted_up_and_leaves(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var row = NewHolder();
        var registered = await db.Holders.RegisterAsync(row, Stop);
        var renewed = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, registered.Cursor, []), Stop);

        Assert.Empty(renewed.Lost);
        Assert.Empty(renewed.Entries);
        Assert.Equal(row with { Counter = 1 }, Assert.Single(await db.Registry.ListAsync(Stop)));

        await db.Holders.LeaveAsync(row.Incarnation, Stop);
        Assert.Empty(await db.Registry.ListAsync(Stop));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_renewal_reads_each_entry_once_and_never_one_from_before_the_registration(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        await RevokeAsync(db, "before");
        var row = NewHolder();
        var cursor = (await db.Holders.RegisterAsync(row, Stop)).Cursor;
        await RevokeAsync(db, "one");
        await RevokeAsync(db, "two");

        var first = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, cursor, []), Stop);
        var second = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, first.Cursor, []), Stop);
        var again = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, cursor, []), Stop);

        Assert.Equal(["one", "two"], first.Entries.Select(entry => entry.UserId).Order());
        Assert.All(first.Entries, entry => Assert.Equal((RevocationKind.User, "public", "public", 1), (entry.Kind, entry.App, entry.Tenant, entry.Epoch)));
        Assert.Empty(second.Entries);

        // An answer that was lost: the same cursor brings the same entries.
        Assert.Equal(2, again.Entries.Count);
    }

    [Fact]
    public async Task An_entry_that_becomes_visible_late_is_read_although_later_positions_were()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        var row = NewHolder();
        var cursor = (await db.Holders.RegisterAsync(row, Stop)).Cursor;
        await using var slow = new NpgsqlConnection(db.Options.ConnectionString);
        await slow.OpenAsync(Stop);
        await using var transaction = await slow.BeginTransactionAsync(Stop);
        await using var insert = new NpgsqlCommand(
            "INSERT INTO grid_revocation (kind, app, tenant, user_id, epoch, reason, at) VALUES (2, 'public', 'public', 'slow', 1, 1, 0)", slow, transaction);
        await insert.ExecuteNonQueryAsync(Stop);
        await RevokeAsync(db, "fast");

        var first = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, cursor, []), Stop);
        await transaction.CommitAsync(Stop);
        var second = await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, first.Cursor, []), Stop);

        Assert.Equal("fast", Assert.Single(first.Entries).UserId);
        Assert.Equal("slow", Assert.Single(second.Entries).UserId);
        Assert.True(second.Entries[0].Position < first.Entries[0].Position);
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_removed_row_is_lost_to_its_holder_and_only_an_unchanged_one_is_removed(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var (gone, service) = (NewHolder(), ServiceRowTests.NewService("a1"));
        var other = new OwnRow(service.Row.Incarnation, "a1", service.SecretHash);
        var cursor = (await db.Holders.RegisterAsync(gone, Stop)).Cursor;
        await db.Services.RegisterServiceAsync(service, Stop);
        await db.Holders.RenewAsync(new HolderRenewal(gone.Incarnation, cursor, [other]), Stop);

        Assert.False(await db.Registry.RemoveAsync(gone.Incarnation, 0, Stop));
        Assert.True(await db.Registry.RemoveAsync(gone.Incarnation, 1, Stop));
        var renewed = await db.Holders.RenewAsync(new HolderRenewal(gone.Incarnation, cursor, [other]), Stop);

        Assert.Equal([gone.Incarnation], renewed.Lost);
        Assert.Equal((other.Incarnation, 2), Assert.Single((await db.Registry.ListAsync(Stop)).Select(row => (row.Incarnation, (int)row.Counter))));
    }

    [Fact]
    public async Task An_entry_that_a_silo_with_a_slow_clock_wrote_is_kept_as_long_as_any_other()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        var row = NewHolder();
        var cursor = (await db.Holders.RegisterAsync(row, Stop)).Cursor;
        var slow = TestStore.Now().AddHours(-2);
        RevocationScope[] scopes =
        [
            new RevocationScope.WholeApp { App = AppKey.Public },
            new RevocationScope.Tenant { App = AppKey.Public, TenantId = "t" },
            new RevocationScope.User { App = AppKey.Public, TenantId = "t", UserId = "u" },
        ];
        foreach (var scope in scopes)
        {
            await db.Store.RevokeAsync(scope, RevocationReason.Requested, slow, Stop);
        }

        Assert.Equal(0, await db.Store.PurgeRevocationsAsync(TestStore.Now().AddHours(-1), 100, Stop));
        Assert.Equal(3, (await db.Holders.RenewAsync(new HolderRenewal(row.Incarnation, cursor, []), Stop)).Entries.Count);
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task Revoked_keys_are_told_at_the_registration_and_survive_the_purge(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        await db.Store.RevokeAsync(
            new RevocationScope.SigningKey { App = AppKey.Public, Kid = "d-1" }, RevocationReason.KeyRevoked, TestStore.Now(), Stop);
        await RevokeAsync(db, "u");
        var purged = await db.Store.PurgeRevocationsAsync(TestStore.Now().AddDays(1), 100, Stop);

        var registered = await db.Holders.RegisterAsync(NewHolder(), Stop);

        Assert.Equal(1, purged);
        Assert.Equal(("public", "d-1"), Assert.Single(registered.RevokedKeys));
    }

    [Fact]
    public async Task A_process_that_owns_the_file_knows_that_earlier_silos_are_dead()
    {
        await using var earlier = await TestStore.OpenAsync(StoreEngine.Sqlite, shared);
        var service = ServiceRowTests.NewService("a1").Row;
        await earlier.Holders.RegisterAsync(NewHolder(), Stop);
        await earlier.Services.RegisterServiceAsync(ServiceRowTests.NewService("a1") with { Row = service }, Stop);

        // As a crash would leave it; the lock belongs to the path.
        var folder = Directory.CreateTempSubdirectory("grid-sqlite-").FullName;
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(earlier.Options.SqlitePath)!, "grid.db*").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        await using var db = TestStore.Open(new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(folder, "grid.db") });
        var own = NewHolder();
        await db.Holders.RegisterAsync(own, Stop);

        Assert.Equal(new[] { service.Incarnation, own.Incarnation }.Order(), (await db.Registry.ListAsync(Stop)).Select(row => row.Incarnation).Order());
    }

    internal static HolderRow NewHolder() => new()
    {
        Incarnation = Guid.NewGuid(),
        Kind = HolderKind.Silo,
        Name = "host",
        Address = "127.0.0.1:1@2",
        Lease = TimeSpan.FromSeconds(10),
    };

    private static Task<RevokedSessions> RevokeAsync(TestStore db, string userId) => db.Store.RevokeAsync(
        new RevocationScope.User { App = AppKey.Public, TenantId = "public", UserId = userId }, RevocationReason.Requested, TestStore.Now(), Stop).AsTask();
}
