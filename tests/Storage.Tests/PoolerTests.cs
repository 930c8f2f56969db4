using Grid.Abstractions.Sessions;
using Grid.TestKit;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>PgBouncer in transaction mode before PostgreSQL: every transaction may meet another server connection.</summary>
public sealed class PoolerTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Four_migrations_at_once_share_a_small_pool_and_apply_once()
    {
        var (options, _, bouncer) = await StartAsync(serverConnections: 2);
        using var owned = bouncer;

        var states = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => StoreMigrator.For(options).Apply().State)));

        Assert.All(states, state => Assert.Equal(SchemaState.Current, state));
    }

    [Fact]
    public async Task Two_stores_that_share_server_connections_lose_no_create_refresh_or_revocation()
    {
        var (options, _, bouncer) = await StartAsync(serverConnections: 4);
        using var owned = bouncer;
        await using var first = TestStore.Open(options);
        await using var second = TestStore.OpenUnmigrated(options with { MaxConnections = 8 });
        Assert.Contains("through a connection pooler", (await first.Startup.CheckAsync(Stop)).Place, StringComparison.Ordinal);

        await Task.WhenAll(Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                var (here, there) = worker % 2 == 0 ? (first.Store, second.Store) : (second.Store, first.Store);
                var session = TestStore.NewSession();
                Assert.True(await here.InsertAsync(session, Stop));
                Assert.True(await there.UpdateAsync(session with { Version = 2, PayloadJson = $$"""{"n":{{i}}}""" }, Stop));
                Assert.NotNull(await here.ReadAsync(session.Key, Stop));
                var revoked = await there.RevokeAsync(
                    new RevocationScope.User { App = session.Key.App, TenantId = null, UserId = session.UserId }, RevocationReason.Requested, TestStore.Now(), Stop);
                Assert.Equal([session.Key.Handle], revoked.Sessions);
                Assert.Null(await here.ReadAsync(session.Key, Stop));
            }
        }, Stop)));
    }

    [Theory]
    [InlineData("default_transaction_isolation", "serializable", "read committed")]
    [InlineData("default_transaction_isolation", "repeatable read", "read committed")]
    [InlineData("default_transaction_read_only", "on", "default_transaction_read_only is on")]
    public async Task A_role_whose_transactions_cannot_be_overruled_through_a_pooler_is_refused_with_what_to_do(string setting, string value, string repair)
    {
        var (options, direct, bouncer) = await StartAsync();
        using var owned = bouncer;
        StoreMigrator.For(options).Apply();
        var database = new NpgsqlConnectionStringBuilder(direct.ConnectionString).Database;
        await direct.ExecuteAsync($"ALTER DATABASE {database} SET {setting} = '{value}'");

        // The server connections that the pooler has open are from before.
        await direct.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await using var db = TestStore.OpenUnmigrated(options);
        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => StartedAsync(db));

        Assert.Contains(repair, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Search Path=grid")]
    [InlineData("Options=-c statement_timeout=1000")]
    public async Task What_a_pooler_does_not_pass_on_is_refused_with_what_to_do(string setting)
    {
        var (options, _, bouncer) = await StartAsync();
        using var owned = bouncer;
        var asked = options with { ConnectionString = $"{options.ConnectionString};{setting}" };

        var migrating = Assert.Throws<StoreStartException>(() => StoreMigrator.For(asked).Apply());
        await using var db = TestStore.OpenUnmigrated(asked);
        var starting = await Assert.ThrowsAsync<StoreStartException>(() => db.Startup.CheckAsync(Stop));

        Assert.All([migrating, starting], refusal => Assert.Contains("ALTER ROLE", refusal.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pooler_in_statement_mode_is_refused_with_what_to_do(bool isMigrated)
    {
        var direct = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        if (isMigrated)
        {
            StoreMigrator.For(direct).Apply();
        }

        using var bouncer = await PgBouncer.TryStartAsync(direct.ConnectionString!, more: "pool_mode = statement");
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        var options = direct with { ConnectionString = bouncer!.Through(direct.ConnectionString!) };
        await using var db = TestStore.OpenUnmigrated(options);
        var refusal = isMigrated
            ? await Assert.ThrowsAsync<StoreStartException>(() => db.Startup.CheckAsync(Stop))
            : Assert.Throws<StoreStartException>(() => StoreMigrator.For(options).Apply());

        Assert.Contains("pool_mode = transaction", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ignore_startup_parameters = options")]
    public async Task A_pooler_that_comes_between_after_the_start_is_not_given_prepared_statements(string more)
    {
        var direct = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        using var bouncer = await PgBouncer.TryStartAsync(direct.ConnectionString!, more: more);
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        await using var relay = new TcpRelay(Place(direct.ConnectionString!));
        await using var db = TestStore.Open(direct with
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(direct.ConnectionString) { Host = relay.Url.Host, Port = relay.Url.Port }.ToString(),
        });
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));

        relay.Target = Place(bouncer!.Through(direct.ConnectionString!));
        relay.Cut();
        relay.Mend();
        while (db.Condition.Trouble is null)
        {
            // A connection from before may break first.
            await Assert.ThrowsAsync<Abstractions.StoreUnavailableException>(async () => await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        }

        Assert.Contains("start Grid again", db.Condition.Trouble!.Reason, StringComparison.Ordinal);
    }

    private static Uri Place(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return new Uri($"http://{settings.Host}:{settings.Port}");
    }

    // The pooler may meet the terminated connections first.
    private static async Task<StoreFacts> StartedAsync(TestStore db)
    {
        while (true)
        {
            try
            {
                return await db.Startup.CheckAsync(Stop);
            }
            catch (StoreStartException away) when (away.Message.Contains("cannot be reached", StringComparison.Ordinal))
            {
                await Task.Delay(100, Stop);
            }
        }
    }

    private async Task<(StoreOptions Options, Direct Server, PgBouncer Bouncer)> StartAsync(int serverConnections = 6)
    {
        var direct = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        var bouncer = await PgBouncer.TryStartAsync(direct.ConnectionString!, serverConnections);
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        return (direct with { ConnectionString = bouncer!.Through(direct.ConnectionString!) }, new Direct(direct.ConnectionString!), bouncer);
    }

    private sealed record Direct(string ConnectionString)
    {
        public async Task ExecuteAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
            await connection.OpenAsync(Stop);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Stop);
        }
    }
}
