using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Grid.Abstractions;
using Grid.Storage.PostgreSql;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>One budget for all connections of a silo, in parts that do not take each other's.</summary>
public sealed class ConnectionShareTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(1000)]
    public void The_parts_come_to_the_budget_and_none_is_empty(int budget)
    {
        var shares = ConnectionShares.Of(budget);

        Assert.Equal(budget, shares.Sessions + shares.Leases + shares.Membership + shares.Grains + shares.Single);
        Assert.All([shares.Sessions, shares.Leases, shares.Membership, shares.Grains, shares.Single], part => Assert.True(part > 0));
    }

    [Fact]
    public async Task Each_part_has_a_pool_of_its_share_under_a_name_of_its_own()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared) with { MaxConnections = 8 };
        StoreMigrator.For(options).Apply();
        var grains = new NpgsqlConnectionStringBuilder(options.ProviderConnectionString);
        var membership = new NpgsqlConnectionStringBuilder(options.MembershipConnectionString);

        Assert.Equal(("grid grains", 1, 0), (grains.ApplicationName, grains.MaxPoolSize, grains.MinPoolSize));
        Assert.Equal(("grid membership", 2, 0), (membership.ApplicationName, membership.MaxPoolSize, membership.MinPoolSize));
        Assert.All([grains, membership], pool => Assert.True(pool is { Pooling: true, Timeout: <= 5, CommandTimeout: <= 8 }));
    }

    [Fact]
    public async Task The_drivers_metrics_name_the_pools_without_the_password()
    {
        const string password = "nobody-may-read-this";
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        options = options with { ConnectionString = $"{options.ConnectionString};Password={password};Persist Security Info=true;Application Name=told" };
        await using var db = TestStore.Open(options);
        await db.Store.InsertAsync(TestStore.NewSession(), Stop);
        await using var membership = new NpgsqlConnection(options.MembershipConnectionString);
        await membership.OpenAsync(Stop);

        ConcurrentBag<string> pools = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Meter.Name == "Npgsql")
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, _, tags, _) =>
        {
            foreach (var (_, value) in tags)
            {
                pools.Add($"{value}");
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Contains("told sessions", pools);
        Assert.Contains(pools, pool => pool.Contains("told membership", StringComparison.Ordinal));
        Assert.DoesNotContain(pools, pool => pool.Contains(password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_finds_no_free_connection_is_told_so_while_leases_membership_and_grains_have_theirs()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared) with { MaxConnections = 8 };
        await using var db = TestStore.Open(options);
        var database = (PostgreSqlDatabase)db.Guard;
        var release = new TaskCompletionSource();
        List<TaskCompletionSource> held = [.. Enumerable.Range(0, ConnectionShares.Of(8).Sessions).Select(_ => new TaskCompletionSource())];
        var holding = held.Select(taken => database.RunAsync(async _ =>
        {
            taken.SetResult();
            await release.Task;
            return true;
        })).ToList();
        await Task.WhenAll(held.Select(taken => taken.Task)).WaitAsync(TimeSpan.FromMinutes(2), Stop);

        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.InsertAsync(TestStore.NewSession(), Stop));

        Assert.Contains("pool", refusal.InnerException!.Message, StringComparison.Ordinal);
        Assert.True(await database.RunReservedAsync(_ => Task.FromResult(true)));
        await using var membership = new NpgsqlConnection(options.MembershipConnectionString);
        await membership.OpenAsync(Stop);
        await using var grain = new NpgsqlConnection(options.ProviderConnectionString);
        await grain.OpenAsync(Stop);

        release.SetResult();
        await Task.WhenAll(holding);
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));
    }

    [Fact]
    public async Task The_smallest_limit_of_server_role_and_database_is_the_room_for_connections()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        var database = new NpgsqlConnectionStringBuilder(db.Options.ConnectionString).Database!;
        var role = $"role_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {role} LOGIN");

        // A superuser has room where others have none.
        await ExecuteAsync($"ALTER DATABASE {database} CONNECTION LIMIT 60");
        Assert.Equal(new StoreRoom(197, "max_connections"), await RoomAsync(null));
        Assert.Equal(new StoreRoom(60, $"CONNECTION LIMIT of the database {database}"), await RoomAsync(role));
        await ExecuteAsync($"ALTER ROLE {role} CONNECTION LIMIT 40");
        Assert.Equal(new StoreRoom(40, $"CONNECTION LIMIT of the role {role}"), await RoomAsync(role));

        await ExecuteAsync($"ALTER ROLE {role} CONNECTION LIMIT 0");
        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => RoomAsync(role));
        Assert.Contains("no connection left", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Grid:Store:MaxConnections", refusal.Message, StringComparison.Ordinal);

        async Task<StoreRoom?> RoomAsync(string? user)
        {
            var connection = new NpgsqlConnectionStringBuilder(db.Options.ConnectionString);
            connection.Username = user ?? connection.Username;
            await using var other = TestStore.OpenUnmigrated(db.Options with { ConnectionString = connection.ToString() });
            return (await other.Startup.CheckAsync(Stop)).Room;
        }

        async Task ExecuteAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(db.Options.ConnectionString + ";Pooling=false");
            await connection.OpenAsync(Stop);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Stop);
        }
    }
}
