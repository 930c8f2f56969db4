using Grid.Abstractions.Sessions;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>What the role or the database says of transactions is not what Grid's statements are written for.</summary>
public sealed class IsolationTests(SharedPostgreSql shared)
{
    private const int Threads = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("serializable")]
    [InlineData("repeatable read")]
    public async Task Removals_by_eight_threads_succeed_whatever_isolation_is_the_default(string isolation)
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        await AlterAsync(options, $"SET default_transaction_isolation = '{isolation}'");
        await using var db = TestStore.Open(options);
        await db.Startup.CheckAsync(Stop);

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                // Neighbours in the index, and one user that all of them share.
                var own = TestStore.NewSession($"user-{i}-{thread}");
                var common = TestStore.NewSession("everybody");
                Assert.True(await db.Store.InsertAsync(own, Stop));
                Assert.True(await db.Store.InsertAsync(common, Stop));
                RevocationScope scope = (i % 3) switch
                {
                    0 => new RevocationScope.User { App = own.Key.App, TenantId = null, UserId = own.UserId },
                    1 => new RevocationScope.User { App = own.Key.App, TenantId = null, UserId = "everybody" },
                    _ => new RevocationScope.Named { App = own.Key.App, Sessions = [own.Key.Handle, common.Key.Handle] },
                };
                await db.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop);
                Assert.Null(await db.Store.ReadAsync(i % 3 == 1 ? common.Key : own.Key, Stop));
            }
        }, Stop)));
    }

    [Fact]
    public async Task Orleans_connections_too_say_which_isolation_they_want_beside_what_the_operator_says()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        await AlterAsync(options, "SET default_transaction_isolation = 'serializable'");
        var told = options with { ConnectionString = options.ConnectionString + ";Options=-c statement_timeout=12345 -c default_transaction_isolation=serializable" };
        await using var connection = new NpgsqlConnection(told.ProviderConnectionString);
        await connection.OpenAsync(Stop);

        Assert.Equal("read committed", await ShowAsync(connection, "transaction_isolation"));
        Assert.Equal("12345ms", await ShowAsync(connection, "statement_timeout"));
    }

    [Fact]
    public async Task A_role_that_may_only_read_by_default_is_refused_with_what_to_do()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        StoreMigrator.For(options).Apply();
        await AlterAsync(options, "SET default_transaction_read_only = on");
        await using var db = TestStore.OpenUnmigrated(options);

        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => db.Startup.CheckAsync(Stop));

        Assert.Contains("default_transaction_read_only is on", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task AlterAsync(StoreOptions options, string what)
    {
        await using var connection = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Stop);
        await using var alter = new NpgsqlCommand($"ALTER DATABASE {connection.Database} {what}", connection);
        await alter.ExecuteNonQueryAsync(Stop);
    }

    private static async Task<object?> ShowAsync(NpgsqlConnection connection, string setting)
    {
        await using var show = new NpgsqlCommand($"SHOW {setting}", connection);
        return await show.ExecuteScalarAsync(Stop);
    }
}
