using System.Text.RegularExpressions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Registry;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>A program over a database that a later version has migrated: silos are replaced one by one, and the old ones go on, and start again, meanwhile. On every engine.</summary>
public sealed class LaterSchemaTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_later_schema_that_says_that_it_works_with_this_one_is_accepted(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        var migrator = StoreMigrator.For(options);
        var known = NumberOf(migrator.Apply().Known);
        await JournalAsync(options, $"9001_adds_works_with_{known:0000}");
        await JournalAsync(options, $"9002_adds_more_works_with_{known:0000}");

        foreach (var status in new[] { migrator.Status(), migrator.Apply() })
        {
            Assert.Equal((SchemaState.Ahead, $"9002_adds_more_works_with_{known:0000}", known), (status.State, status.Applied, status.Least));
            Assert.Empty(status.Pending);
        }

        Assert.Equal("", migrator.Script());
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task One_that_says_so_of_the_version_in_between_is_refused_with_what_to_do(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        var migrator = StoreMigrator.For(options);
        var known = NumberOf(migrator.Apply().Known);
        await JournalAsync(options, $"9001_adds_works_with_{known:0000}");
        await JournalAsync(options, "9002_takes_away_works_with_9001");

        // What comes after it makes it no better.
        await JournalAsync(options, $"9003_adds_works_with_{known:0000}");

        Assert.Equal((SchemaState.Newer, 9001), (migrator.Status().State, migrator.Status().Least));
        var refusal = Assert.Throws<StoreStartException>(() => migrator.Apply());
        Assert.Contains("schema 9001 or a later one", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Start the version of Grid that migrated it", refusal.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task One_that_says_nothing_or_lacks_what_this_one_has_is_refused(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        var migrator = StoreMigrator.For(options);
        var known = migrator.Apply().Known;
        await JournalAsync(options, $"9001_works_with_{NumberOf(known):0000}_and_takes_away");
        Assert.Equal(SchemaState.Newer, migrator.Status().State);

        await JournalAsync(options, "9001_works_with_0001", instead: $"9001_works_with_{NumberOf(known):0000}_and_takes_away");
        Assert.Equal(SchemaState.Ahead, migrator.Status().State);

        await JournalAsync(options, "9000_works_with_0001", instead: known);
        Assert.Equal(SchemaState.Newer, migrator.Status().State);
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task What_this_version_writes_and_reads_is_whole_where_a_later_one_has_added_columns(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        var known = NumberOf(StoreMigrator.For(options).Apply().Known);
        await AddColumnsAsync(options);
        await JournalAsync(options, $"9001_adds_works_with_{known:0000}");
        await using var db = TestStore.OpenUnmigrated(options);
        await db.Startup.CheckAsync(Stop);

        await SessionsAsync(db.Store);
        await HoldersAsync(db);
        await InstallationAsync(db.Installation);
    }

    [Theory]
    [InlineData(StoreEngine.Sqlite)]
    [InlineData(StoreEngine.PostgreSql)]
    public void A_migration_that_takes_something_away_does_not_say_that_earlier_versions_work_over_it(StoreEngine engine)
    {
        var script = StoreMigrator.For(new StoreOptions { Engine = engine, SqlitePath = "none", ConnectionString = "Host=none" }).FullScript();
        var scripts = Regex.Matches(script, @"^-- (?<name>(?<number>[0-9]{4})_\S+)$(?<sql>.*?)^COMMIT;", RegexOptions.Multiline | RegexOptions.Singleline);
        var numbers = scripts.Select(one => int.Parse(one.Groups["number"].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();

        Assert.NotEmpty(scripts);
        Assert.Equal(numbers.Order().Distinct(), numbers);
        Assert.All(scripts, one =>
        {
            var name = one.Groups["name"].Value;
            if (Regex.Match(name, "_works_with_(?<least>[0-9]{4})$") is not { Success: true } says)
            {
                return;
            }

            Assert.InRange(int.Parse(says.Groups["least"].Value, System.Globalization.CultureInfo.InvariantCulture), 1, NumberOf(name) - 1);
            Assert.DoesNotMatch(@"(?i)\bDROP\b|\bRENAME\b|\bALTER\s+COLUMN\b|\bTRUNCATE\b|\bADD\s+(CONSTRAINT|CHECK|UNIQUE|FOREIGN|PRIMARY)\b", one.Groups["sql"].Value);

            // What an earlier version inserts has no value for it.
            Assert.DoesNotMatch(@"(?i)\bADD\s+(COLUMN\s+)?(?!.*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b", one.Groups["sql"].Value);
        });
    }

    private static int NumberOf(string script) => int.Parse(script.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);

    private static async Task SessionsAsync(ISessionStore store)
    {
        var session = TestStore.NewSession(userId: "later");
        Assert.True(await store.InsertAsync(session, Stop));
        var refreshed = session with { Version = 2, Chain = new RefreshChain(TokenHash.Of("b"), session.Chain.Current, TestStore.Now()) };
        Assert.True(await store.UpdateAsync(refreshed, Stop));
        Assert.Equal(refreshed, await store.ReadAsync(session.Key, Stop));
        Assert.Equal([session.Key.Handle], await store.ListAsync(AppKey.Public, null, "later", TestStore.Now(), Stop));

        var ordered = TestStore.NewSession();
        await store.OrderAsync(new SessionOrder(ordered.Key, ordered.UserId, TestStore.Now().AddMinutes(1)), Stop);
        Assert.True(await store.InsertOrderedAsync(ordered, TestStore.Now(), Stop));
        await store.OrderAsync(new SessionOrder(TestStore.NewSession().Key, "nobody", TestStore.Now().AddMinutes(-1)), Stop);
        Assert.Equal(1, await store.PurgeOrdersAsync(TestStore.Now(), 10, Stop));

        RevocationScope[] scopes =
        [
            new RevocationScope.Named { App = AppKey.Public, Sessions = [session.Key.Handle] },
            new RevocationScope.User { App = AppKey.Public, TenantId = TenantKey.PublicId, UserId = ordered.UserId },
            new RevocationScope.Tenant { App = AppKey.Public, TenantId = TenantKey.PublicId },
            new RevocationScope.WholeApp { App = AppKey.Public },
        ];
        foreach (var scope in scopes)
        {
            Assert.NotEmpty((await store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop)).Entries);
        }

        var old = TestStore.NewSession(validity: TimeSpan.FromDays(-2));
        Assert.True(await store.InsertAsync(old, Stop));
        Assert.Equal(1, await store.PurgeExpiredAsync(TestStore.Now(), 10, Stop));
        Assert.Equal(scopes.Length, await store.PurgeRevocationsAsync(TestStore.Now().AddHours(1), 10, Stop));
    }

    private static async Task HoldersAsync(TestStore db)
    {
        var silo = HolderStoreTests.NewHolder();
        var service = ServiceRowTests.NewService("a1");
        var cursor = (await db.Holders.RegisterAsync(silo, Stop)).Cursor;
        Assert.NotNull((await db.Services.RegisterServiceAsync(service, Stop)).Holder);
        await db.Store.RevokeAsync(new RevocationScope.User { App = AppKey.Public, TenantId = TenantKey.PublicId, UserId = "later" }, RevocationReason.Requested, TestStore.Now(), Stop);
        var own = new OwnRow(service.Row.Incarnation, "a1", service.SecretHash);
        var renewed = await db.Holders.RenewAsync(new HolderRenewal(silo.Incarnation, cursor, [own]), Stop);

        Assert.Equal("later", Assert.Single(renewed.Entries).UserId);
        Assert.Empty(renewed.Lost);
        Assert.Equal([1, 1], (await db.Registry.ListAsync(Stop)).Select(row => row.Counter));
        Assert.True(await db.Services.LeaveServiceAsync(own, Stop));
        Assert.True(await db.Registry.RemoveAsync(silo.Incarnation, 1, Stop));
    }

    private static async Task InstallationAsync(IInstallationStore store)
    {
        await store.CreateAsync(new InstallationRecord { ClusterId = "grid", Canary = [1] }, Stop);
        Assert.True(await store.ReplaceCanaryAsync([1], [2], Stop));
        Assert.Equal([2], (await store.ReadAsync(Stop))!.Canary);
        await store.AnnounceAsync("silo", "k1", Stop);
        await store.AnnounceAsync("silo", "k2", Stop);
        Assert.Equal([new SiloKeys("silo", "k2")], await store.ReadAnnouncedAsync(Stop));
    }

    // A column with a default and one without a value, in every table of Grid's own.
    private static async Task AddColumnsAsync(StoreOptions options)
    {
        var isPostgreSql = options.Engine == StoreEngine.PostgreSql;
        string[] tables = ["grid_session", "grid_user_epoch", "grid_revocation", "grid_holder", "grid_installation", "grid_silo_keys", "grid_ticket"];
        await ExecuteAsync(options, string.Join('\n', tables.Select(table =>
            $"ALTER TABLE {table} ADD COLUMN later_number {(isPostgreSql ? "integer" : "INTEGER")} NOT NULL DEFAULT 7; ALTER TABLE {table} ADD COLUMN later_text {(isPostgreSql ? "text" : "TEXT")};")));
    }

    private static Task JournalAsync(StoreOptions options, string script, string? instead = null)
    {
        var remove = instead is null ? "" : $"DELETE FROM grid_schema WHERE scriptname = '{instead}';";
        return ExecuteAsync(options, $"{remove} INSERT INTO grid_schema (scriptname, applied) VALUES ('{script}', '2030-01-01 00:00:00')");
    }

    private static async Task ExecuteAsync(StoreOptions options, string sql)
    {
        if (options.Engine == StoreEngine.PostgreSql)
        {
            await using var connection = new NpgsqlConnection(options.ConnectionString);
            await connection.OpenAsync(Stop);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Stop);
        }
        else
        {
            await using var connection = new SqliteConnection($"Data Source={options.SqlitePath};Pooling=false");
            await connection.OpenAsync(Stop);
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync(Stop);
        }
    }
}
