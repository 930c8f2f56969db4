using System.Diagnostics;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Registry;
using Grid.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Tests;

/// <summary>What may happen to the embedded file while it is in use.</summary>
public sealed class SqliteGuardTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Losses => ["database removed", "database replaced", "log removed", "log replaced", "database overwritten", "log overwritten"];

    [Theory, MemberData(nameof(Losses))]
    public async Task A_file_that_is_no_longer_the_open_one_takes_no_more_reads_and_writes(string loss)
    {
        await using var db = await OpenAsync();
        var path = db.Options.SqlitePath!;
        var before = TestStore.NewSession();
        Assert.True(await db.Store.InsertAsync(before, Stop));
        var copy = path + ".copy";
        Execute(path, $"VACUUM INTO '{copy}'");

        switch (loss)
        {
            case "database removed":
                File.Delete(path);
                break;
            case "database replaced":
                File.Move(copy, path, overwrite: true);
                break;
            case "log removed":
                File.Delete(path + "-wal");
                break;
            case "log replaced":
                Copy(path + "-wal", path + "-wal.copy");
                File.Move(path + "-wal.copy", path + "-wal", overwrite: true);
                break;
            case "database overwritten":
                Copy(copy, path);
                break;
            case "log overwritten":
                Copy("/dev/null", path + "-wal");
                break;
        }

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.ReadAsync(before.Key, Stop));
        Assert.Throws<StoreUnavailableException>(db.Guard.Verify);
        var trouble = Assert.IsType<StoreTrouble>(db.Condition.Trouble);
        Assert.True(trouble.NeedsRestart);
        Assert.Contains(path, trouble.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("database removed")]
    [InlineData("log removed")]
    public async Task What_was_acknowledged_before_is_saved_beside_a_file_that_was_taken_away(string loss)
    {
        await using var db = await OpenAsync();
        var path = db.Options.SqlitePath!;
        var session = TestStore.NewSession();
        Assert.True(await db.Store.InsertAsync(session, Stop));
        File.Delete(loss == "database removed" ? path : path + "-wal");
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.InsertAsync(TestStore.NewSession(), Stop));

        string? saved;
        while ((saved = Saved(path)) is null)
        {
            await Task.Delay(20, Stop);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(saved));
        var place = Path.Combine(Directory.CreateTempSubdirectory("grid-sqlite-").FullName, "grid.db");
        File.Move(saved, place);
        await using var restored = TestStore.Open(db.Options with { SqlitePath = place });
        Assert.Equal(session, await restored.Store.ReadAsync(session.Key, Stop));
    }

    [Fact]
    public async Task A_store_that_is_closed_right_after_its_loss_finishes_one_copy_first()
    {
        for (var round = 0; round < 5; round++)
        {
            await using var db = await OpenAsync();
            var path = db.Options.SqlitePath!;
            await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => db.Store.InsertAsync(TestStore.NewSession(payload: $$"""{"x":"{{new string('x', 4000)}}"}"""), Stop).AsTask()));
            File.Delete(path);

            // All of them notice it at once.
            using var start = new Barrier(4);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(Stop);
                    Assert.Throws<StoreUnavailableException>(db.Guard.Verify);
                },
                Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            await db.CloseAsync();

            Assert.EndsWith(Path.GetFileName(Saved(path))!, Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!, "*.saved-*")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Checkpoints_of_anybody_and_a_thousand_commits_are_no_alarm()
    {
        await using var db = await OpenAsync();
        var path = db.Options.SqlitePath!;
        for (var round = 0; round < 20; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 60).Select(i => db.Store.InsertAsync(TestStore.NewSession(payload: $$"""{"x":"{{new string('x', 4000)}}"}"""), Stop).AsTask()));
            Run("sqlite3", path, (round % 4) switch
            {
                0 => "PRAGMA wal_checkpoint(TRUNCATE)",
                1 => "PRAGMA wal_checkpoint(PASSIVE)",
                2 => "SELECT count(*) FROM grid_session",
                _ => "PRAGMA wal_checkpoint(RESTART)",
            });
        }

        db.Guard.Verify();
        Assert.Null(db.Condition.Trouble);
    }

    [Fact]
    public async Task A_lock_that_somebody_tidied_away_is_taken_again_and_still_keeps_others_out()
    {
        await using var db = await OpenAsync();
        var path = db.Options.SqlitePath!;
        File.Delete(path + ".lock");

        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));

        Assert.True(File.Exists(path + ".lock"));
        Assert.Throws<IOException>(() => new FileStream(path + ".lock", FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose());
        Assert.Null(db.Condition.Trouble);
    }

    [Fact]
    public async Task A_journal_mode_that_another_program_wants_is_refused_to_it_while_the_file_is_owned()
    {
        await using var db = await OpenAsync();
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));

        Assert.Throws<SqliteException>(() => Execute(db.Options.SqlitePath!, "PRAGMA journal_mode = DELETE"));

        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        Assert.True(File.Exists(db.Options.SqlitePath + "-wal"));
    }

    [Fact]
    public async Task What_waits_for_a_foreign_transaction_is_refused_unsent_and_the_next_write_after_it_succeeds()
    {
        await using var db = await OpenAsync(TimeProvider.System);
        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        var waited = TestStore.NewSession();
        using (var foreign = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = db.Options.SqlitePath, Pooling = false }.ToString()))
        {
            foreign.Open();
            using var transaction = foreign.BeginTransaction();
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.InsertAsync(waited, Stop));
            Assert.Contains("Another program holds its lock", db.Condition.Trouble!.Reason, StringComparison.Ordinal);
        }

        Assert.True(await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        Assert.Null(await db.Store.ReadAsync(waited.Key, Stop));
    }

    [Fact]
    public async Task A_holder_whose_log_went_back_in_time_starts_anew()
    {
        await using var db = await OpenAsync();
        var holder = new HolderRow
        {
            Incarnation = Guid.NewGuid(),
            Kind = HolderKind.Silo,
            Name = "silo",
            Address = "127.0.0.1",
            Lease = TimeSpan.FromSeconds(10),
        };
        var registered = await db.Holders.RegisterAsync(holder, Stop);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);
        await db.Store.RevokeAsync(
            new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = session.UserId }, RevocationReason.Requested, TestStore.Now(), Stop);
        var renewed = await db.Holders.RenewAsync(new HolderRenewal(holder.Incarnation, registered.Cursor, []), Stop);
        Assert.Single(renewed.Entries);

        Execute(db.Options.SqlitePath!, "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'grid_revocation'; DELETE FROM grid_revocation");
        var after = await db.Holders.RenewAsync(new HolderRenewal(holder.Incarnation, renewed.Cursor, []), Stop);

        Assert.Equal([holder.Incarnation], after.Lost);
    }

    [Fact]
    public async Task A_file_with_two_names_is_refused_and_a_link_to_it_is_the_same_file()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.Sqlite, shared);
        var path = options.SqlitePath!;
        StoreMigrator.For(options).Apply();
        File.CreateSymbolicLink(path + ".link", path);
        using (SqliteFile.Own(path + ".link"))
        {
            Assert.True(File.Exists(path + "-wal"));
            Assert.Contains("Another process", Assert.Throws<StoreStartException>(() => SqliteFile.Own(path)).Message, StringComparison.Ordinal);
        }

        Run("ln", path, path + ".hard");
        Assert.Contains("hard links", Assert.Throws<StoreStartException>(() => SqliteFile.Own(path)).Message, StringComparison.Ordinal);
        File.Delete(path + ".hard");
        SqliteFile.Own(path).Dispose();
    }

    [Fact]
    public async Task Asking_for_the_state_of_the_schema_makes_and_changes_nothing()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.Sqlite, shared);
        var path = options.SqlitePath!;
        Assert.Equal(SchemaState.Behind, StoreMigrator.For(options).Status().State);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!));

        Execute(path, StoreMigrator.For(options).Script(), SqliteOpenMode.ReadWriteCreate);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Status().State);
        Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Apply().State);

        Assert.Equal(bytes, await File.ReadAllBytesAsync(path, Stop));
        Assert.True(File.GetUnixFileMode(path).HasFlag(UnixFileMode.GroupRead));
    }

    private async Task<TestStore> OpenAsync(TimeProvider? clock = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the guard knows Linux only");
        return await TestStore.OpenAsync(StoreEngine.Sqlite, shared, clock ?? new TestStore.StillTime());
    }

    // It has its name when it is whole.
    private static string? Saved(string path) => Directory.GetFiles(Path.GetDirectoryName(path)!, "*.saved-*").FirstOrDefault(f => !f.Contains(".part", StringComparison.Ordinal));

    // Opened and closed here, the files would lose this process's locks.
    private static void Copy(string from, string to) => Run("cp", from, to);

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static void Execute(string path, string sql, SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 1 }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
