using System.Net;
using System.Net.Sockets;
using Grid.TestKit;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Grid.Storage.Tests;

public sealed class StartTests(SharedPostgreSql shared)
{
    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task Migrations_apply_once_and_print_as_a_script_that_does_the_same(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        var migrator = StoreMigrator.For(options);
        Assert.Equal(SchemaState.Behind, migrator.Status().State);
        await ExecuteAsync(options, migrator.Script());

        Assert.Equal(SchemaState.Current, migrator.Status().State);
        Assert.Equal("", migrator.Script());
        Assert.Equal(SchemaState.Current, migrator.Apply().State);
        await using var db = TestStore.Open(options);
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), TestContext.Current.CancellationToken));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_newer_schema_is_refused_with_what_to_do(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        StoreMigrator.For(options).Apply();
        await ExecuteAsync(options, engine == StoreEngine.PostgreSql
            ? "INSERT INTO grid_schema (scriptname, applied) VALUES ('9999_future', now())"
            : "INSERT INTO grid_schema (ScriptName, Applied) VALUES ('9999_future', datetime('now'))");

        var refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(options).Apply());

        Assert.Contains("9999_future", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Start the version of Grid that migrated it", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eight_silos_that_start_at_once_migrate_once()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);

        var states = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => StoreMigrator.For(options).Apply().State)));

        Assert.All(states, state => Assert.Equal(SchemaState.Current, state));
    }

    [Fact]
    public async Task A_PostgreSql_that_may_forget_is_refused_unless_told_otherwise()
    {
        var server = await PostgreSqlServer.TryStartAsync("fsync=off");
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        await using var owned = server!;
        var options = new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = await server!.CreateDatabaseAsync() };

        await using (var strict = TestStore.Open(options))
        {
            var refusal = await Assert.ThrowsAsync<StoreStartException>(() => strict.Startup.CheckAsync(CancellationToken.None));
            Assert.Contains("fsync=off", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("Grid:Store:AllowUnsafeDurability", refusal.Message, StringComparison.Ordinal);
        }

        await using var lenient = TestStore.Open(options with { AllowUnsafeDurability = true });
        Assert.Contains(await WarningsAsync(lenient), w => w.Contains("fsync=off", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_PostgreSql_that_takes_no_writes_is_refused_with_what_to_do(bool isMigrated)
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        if (isMigrated)
        {
            StoreMigrator.For(options).Apply();
        }

        // As a hot standby answers.
        var standby = options with { ConnectionString = options.ConnectionString + ";Options=-c default_transaction_read_only=on" };
        StoreStartException refusal;
        if (isMigrated)
        {
            await using var db = TestStore.OpenUnmigrated(standby);
            refusal = await Assert.ThrowsAsync<StoreStartException>(() => db.Startup.CheckAsync(CancellationToken.None));
        }
        else
        {
            refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(standby).Apply());
        }

        Assert.Contains("read-only", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Connect to the primary", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_servers_one_that_answers_is_used()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        var one = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        var dead = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();

        var several = options with
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString) { Host = $"127.0.0.1:{dead},127.0.0.1:{one.Port}", TargetSessionAttributes = "read-write" }.ToString(),
        };

        await using var db = TestStore.Open(several);
        Assert.Contains($"{one.Port}", (await db.Startup.CheckAsync(TestContext.Current.CancellationToken)).Place, StringComparison.Ordinal);
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_folder_or_a_place_where_nothing_may_be_written_is_refused_with_what_to_do()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.Sqlite, shared);
        var folder = Path.GetDirectoryName(options.SqlitePath)!;
        var file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "not a database", TestContext.Current.CancellationToken);

        foreach (var (path, repair) in new[]
        {
            (folder, "is a folder"), (Path.Combine(file, "grid.db"), "Give the service's user"), ("/proc/grid.db", "Give the service's user"), (file, "Grid:Store:SqlitePath"),
        })
        {
            Assert.Contains(repair, Assert.Throws<StoreStartException>(() => Sqlite.SqliteFile.Own(path)).Message, StringComparison.Ordinal);
            var started = Assert.Throws<StoreStartException>(() => StoreMigrator.For(options with { SqlitePath = path }).Apply());
            Assert.Contains(repair, started.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nobody_blocks_a_thread_while_PostgreSql_has_not_answered_once()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var db = TestStore.OpenUnmigrated(new StoreOptions
        {
            Engine = StoreEngine.PostgreSql,
            ConnectionString = $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Username=grid;Database=grid;Timeout=20",
        });

        // A call that blocked would return with its failure.
        var calls = Enumerable.Range(0, 3).Select(_ => db.Startup.CheckAsync(CancellationToken.None)).ToList();
        Assert.All(calls, call => Assert.False(call.IsCompleted));

        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var hangingUp = HangUpAsync(silent, over.Token);
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<StoreStartException>(() => call);
        }

        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hangingUp);

        static async Task HangUpAsync(TcpListener server, CancellationToken stop)
        {
            while (true)
            {
                using var connection = await server.AcceptTcpClientAsync(stop);
            }
        }
    }

    [Fact]
    public async Task A_missing_fence_on_grain_storage_is_refused()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        await db.Startup.CheckAsync(CancellationToken.None);
        await ExecuteAsync(db.Options, "DROP INDEX OrleansStorage_one_row_per_grain");

        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => db.Startup.CheckAsync(CancellationToken.None));

        Assert.Contains("unique index", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_owner_of_a_SQLite_file_is_refused_by_name()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.Sqlite, shared);
        db.Startup.TakeOwnership();

        var refusal = Assert.Throws<StoreStartException>(() => Sqlite.SqliteFile.Own(db.Options.SqlitePath!));

        Assert.Contains(db.Options.SqlitePath!, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Grid:Store:SqlitePath", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SQLite_files_belong_to_their_owner_alone_and_commit_to_disk()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.Sqlite, shared);
        await db.Store.InsertAsync(TestStore.NewSession(), TestContext.Current.CancellationToken);

        foreach (var file in new[] { "", "-wal", "-shm", ".lock" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(db.Options.SqlitePath + file));
        }

        using var statements = db.OpenSqlite();
        Assert.Equal("wal", statements.Scalar("PRAGMA journal_mode"));
        Assert.Equal(2L, statements.Scalar("PRAGMA synchronous"));
    }

    private static async Task<IReadOnlyList<string>> WarningsAsync(TestStore db) => (await db.Startup.CheckAsync(CancellationToken.None)).Warnings;

    private static async Task ExecuteAsync(StoreOptions options, string sql)
    {
        if (options.Engine == StoreEngine.PostgreSql)
        {
            await using var connection = new NpgsqlConnection(options.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
        else
        {
            await using var connection = new SqliteConnection($"Data Source={options.SqlitePath}");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
    }
}
