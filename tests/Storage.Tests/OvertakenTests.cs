using Grid.Abstractions.Telemetry;
using Grid.Storage.PostgreSql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>A silo whose session with the database broke looks at the schema again: a migrator did not see it meanwhile.</summary>
public sealed class OvertakenTests(SharedPostgreSql shared) : IAsyncLifetime
{
    private StoreOptions _options = null!;
    private PostgreSqlDatabase _database = null!;
    private PostgreSqlPresence _silo = null!;
    private int _session;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        StoreMigrator.For(_options).Apply();
        var metrics = new ServiceCollection().AddMetrics().AddSingleton<GridMetrics>().BuildServiceProvider().GetRequiredService<GridMetrics>();
        _database = new(_options, new StoreCondition(TimeProvider.System, NullLogger<StoreCondition>.Instance), metrics, NullLogger<PostgreSqlDatabase>.Instance);
        _silo = new PostgreSqlPresence(_database, _options);
        await _silo.BeginAsync(Stop);
        _session = await UntilAsync("pg_advisory_lock");
    }

    public async ValueTask DisposeAsync()
    {
        await (_silo?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_database?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task A_migration_that_came_while_the_session_was_broken_and_is_not_for_this_version_overtakes_the_silo()
    {
        await JournalAsync("9001_takes_away");
        Assert.False(_silo.Overtaken.IsCompleted);

        await BreakAsync();

        var why = await OvertakenAsync();
        Assert.Contains("schema 9001_takes_away", why, StringComparison.Ordinal);
        Assert.Contains("Start the version of Grid that migrated it", why, StringComparison.Ordinal);
        Assert.Empty(await _silo.FindOverAsync([_silo.Mark!], Stop));
    }

    [Fact]
    public async Task One_that_works_with_this_version_does_not()
    {
        await JournalAsync($"9001_adds_works_with_{StoreMigrator.For(_options).Knows:0000}");

        await BreakAsync();

        _session = await UntilAsync("scriptname");
        await JournalAsync("9002_takes_away");
        await BreakAsync();
        Assert.Contains("schema 9002_takes_away", await OvertakenAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_under_way_is_waited_for()
    {
        await using var migrator = new NpgsqlConnection(_options.ConnectionString + ";Pooling=false");
        await migrator.OpenAsync(Stop);
        await using var transaction = await migrator.BeginTransactionAsync(Stop);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock(x'67726964'::bigint)", migrator, transaction);
        await take.ExecuteNonQueryAsync(Stop);

        await BreakAsync();

        await UntilAsync("pg_try_advisory_xact_lock_shared");
        await JournalAsync("9001_takes_away");
        Assert.False(_silo.Overtaken.IsCompleted);
        await transaction.CommitAsync(Stop);
        Assert.Contains("schema 9001_takes_away", await OvertakenAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_look_that_fails_is_no_reason_to_end_and_is_repeated()
    {
        await JournalAsync("9001_takes_away");
        await ExecuteAsync("ALTER TABLE grid_schema RENAME TO aside");

        await BreakAsync();

        await UntilAsync("scriptname");
        Assert.False(_silo.Overtaken.IsCompleted);
        await ExecuteAsync("ALTER TABLE aside RENAME TO grid_schema");
        Assert.Contains("schema 9001_takes_away", await OvertakenAsync(), StringComparison.Ordinal);
    }

    private async Task<string> OvertakenAsync() => (await _silo.Overtaken.WaitAsync(TimeSpan.FromMinutes(2), Stop)).Message;

    private Task JournalAsync(string script) => ExecuteAsync($"INSERT INTO grid_schema (scriptname, applied) VALUES ('{script}', now())");

    private Task BreakAsync() => ExecuteAsync($"SELECT pg_terminate_backend({_session})");

    // Which session it is by now, when its last statement is over and was this one.
    private async Task<int> UntilAsync(string statement)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            if (await ExecuteAsync(
                $"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% presence' AND pid <> {_session} AND state = 'idle' AND query LIKE '%{statement}%'") is int pid)
            {
                return pid;
            }

            await Task.Delay(20, patience.Token);
        }
    }

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_options.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Stop);
    }
}
