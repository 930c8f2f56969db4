using Grid.Abstractions.Telemetry;
using Grid.Storage.PostgreSql;
using Grid.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>The session with the database that a silo holds for its life.</summary>
public sealed class PresenceTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silos_session_is_there_until_its_process_is_not()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        await using var database = NewDatabase(options);
        await using var other = new PostgreSqlPresence(database, options);
        await using var silo = new PostgreSqlPresence(database, options);
        Assert.Null(silo.Mark);
        await silo.BeginAsync(Stop);
        await other.BeginAsync(Stop);

        Assert.NotEqual(silo.Mark, other.Mark);
        Assert.Empty(await other.FindOverAsync([silo.Mark!, other.Mark!], Stop));

        await silo.DisposeAsync();
        await UntilAsync(async () => (await other.FindOverAsync([silo.Mark!, other.Mark!], Stop)).SetEquals([silo.Mark!]));
    }

    [Fact]
    public async Task A_session_that_the_server_ends_is_begun_again()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        await using var database = NewDatabase(options);
        await using var silo = new PostgreSqlPresence(database, options);
        await silo.BeginAsync(Stop);
        var first = await HolderAsync(options);
        Assert.NotNull(first);

        await ExecuteAsync(options, $"SELECT pg_terminate_backend({first})");

        await UntilAsync(async () => await HolderAsync(options) is { } next && !next.Equals(first));
        Assert.Empty(await silo.FindOverAsync([silo.Mark!], Stop));
    }

    [Fact]
    public async Task Marks_of_nobody_are_over_and_what_is_no_mark_is_passed_over()
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        await using var database = NewDatabase(options);
        await using var silo = new PostgreSqlPresence(database, options);

        Assert.Equal(["8000000000000001"], await silo.FindOverAsync(["8000000000000001", "", "Silo_x", "00000000000000000"], Stop));
        Assert.Empty(await silo.FindOverAsync([], Stop));
    }

    [Fact]
    public async Task Behind_a_pooler_there_is_none()
    {
        var direct = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        using var bouncer = await PgBouncer.TryStartAsync(direct.ConnectionString!);
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        var options = direct with { ConnectionString = bouncer!.Through(direct.ConnectionString!) };
        await using var database = NewDatabase(options);
        await using var silo = new PostgreSqlPresence(database, options);

        await silo.BeginAsync(Stop);

        Assert.Null(silo.Mark);
    }

    private static PostgreSqlDatabase NewDatabase(StoreOptions options)
    {
        var metrics = new ServiceCollection().AddMetrics().AddSingleton<GridMetrics>().BuildServiceProvider().GetRequiredService<GridMetrics>();
        return new(options, new StoreCondition(TimeProvider.System, NullLogger<StoreCondition>.Instance), metrics, NullLogger<PostgreSqlDatabase>.Instance);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while (!await isSo())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static Task<object?> HolderAsync(StoreOptions options) => ExecuteAsync(
        options, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");

    private static async Task<object?> ExecuteAsync(StoreOptions options, string sql)
    {
        await using var connection = new NpgsqlConnection(options.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Stop);
    }
}
