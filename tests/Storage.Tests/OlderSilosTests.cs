using System.Text.RegularExpressions;
using Grid.Abstractions.Telemetry;
using Grid.Storage.PostgreSql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>A migration that is not for silos that are at work is not applied while they are.</summary>
public sealed class OlderSilosTests(SharedPostgreSql shared)
{
    // Says nothing of earlier versions.
    private const int Pending = 9;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_migration_that_is_for_newer_versions_waits_until_the_silos_of_older_ones_have_ended()
    {
        var options = await MigratedAsync(upTo: Pending - 1);
        await using var database = NewDatabase(options);
        await using var old = new PostgreSqlPresence(database, options) { Knows = Pending - 1 };
        await old.BeginAsync(Stop);
        await JoinAsync(options, "an-old-one", old.Mark!);
        var before = StoreMigrator.For(options).Status();

        var refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(options).Apply());

        Assert.Contains("silos of an older version are at work: an-old-one (10.0.0.7:11111). Nothing was applied. Stop them", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before.Pending, StoreMigrator.For(options).Status().Pending);

        await old.DisposeAsync();
        await UntilAppliedAsync(options);
    }

    [Fact]
    public async Task A_silo_that_has_not_joined_yet_counts()
    {
        var options = await MigratedAsync(upTo: Pending - 1);
        await using var database = NewDatabase(options);
        await using var old = new PostgreSqlPresence(database, options) { Knows = Pending - 1 };
        await old.BeginAsync(Stop);

        var refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(options).Apply());

        Assert.Contains("are at work: one that is starting.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_whose_version_held_no_such_lock_knows_what_it_works_over_and_no_more()
    {
        var options = await MigratedAsync(upTo: Pending - 1);
        await using var session = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await session.OpenAsync(Stop);
        await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(x'00000000deadbeef'::bigint)", session);
        await hold.ExecuteNonQueryAsync(Stop);
        await JoinAsync(options, "of-before", "00000000deadbeef");

        var refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(options).Apply());

        Assert.Contains("are at work: of-before (10.0.0.7:11111).", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silos_that_know_what_is_pending_or_have_ended_or_are_anothers_keep_nobody_from_migrating()
    {
        var options = await MigratedAsync(upTo: Pending - 1);
        await using var database = NewDatabase(options);
        await using var one = new PostgreSqlPresence(database, options);
        await one.BeginAsync(Stop);
        await JoinAsync(options, "a-new-one", one.Mark!);
        await JoinAsync(options, "ended", "00000000feedbeef");

        // Another installation, in a schema of its own.
        var others = options with { ConnectionString = options.ConnectionString + ";Search Path=others" };
        await using var neighbour = new PostgreSqlPresence(database, await InSchemaAsync(others, "others")) { Knows = 1 };
        await neighbour.BeginAsync(Stop);

        Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Apply().State);
    }

    [Fact]
    public async Task What_only_adds_is_applied_while_silos_are_at_work_over_which_it_says_that_it_works()
    {
        // The first of those that say so.
        var first = Scripts().First(script => Regex.IsMatch(script.Name, "_works_with_"));
        var least = int.Parse(first.Name.AsSpan(^4..), System.Globalization.CultureInfo.InvariantCulture);
        var options = await MigratedAsync(upTo: first.Number - 1);
        await using var database = NewDatabase(options);
        await using var old = new PostgreSqlPresence(database, options) { Knows = Scripts().Max(script => LeastFor(script.Name)) };
        await old.BeginAsync(Stop);
        await JoinAsync(options, "an-old-one", old.Mark!);

        Assert.Equal(least, LeastFor(first.Name));
        Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Apply().State);
    }

    [Fact]
    public async Task Who_starts_while_a_migration_is_under_way_looks_when_it_is_over()
    {
        var options = await MigratedAsync(upTo: int.MaxValue);
        await using var migrator = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await migrator.OpenAsync(Stop);
        await using var transaction = await migrator.BeginTransactionAsync(Stop);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock(x'67726964'::bigint)", migrator, transaction);
        await take.ExecuteNonQueryAsync(Stop);
        var status = Task.Run(() => StoreMigrator.For(options).Settled(), Stop);
        await ExecuteAsync(options, "INSERT INTO grid_schema (scriptname, applied) VALUES ('9001_takes_away', now())");
        await transaction.CommitAsync(Stop);

        Assert.Equal(SchemaState.Newer, (await status).State);
    }

    [Fact]
    public async Task A_table_that_somebody_holds_is_not_waited_for_long_as_requests_wait_behind_the_migration_and_no_timeout_of_the_driver_counts()
    {
        var options = await MigratedAsync(upTo: 10);
        await using var backup = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await backup.OpenAsync(Stop);
        await using var transaction = await backup.BeginTransactionAsync(Stop);
        await using var read = new NpgsqlCommand("LOCK TABLE grid_session IN ACCESS SHARE MODE", backup, transaction);
        await read.ExecuteNonQueryAsync(Stop);
        var before = StoreMigrator.For(options).Status();

        // Shorter than what ends the wait.
        var hasty = options with { ConnectionString = options.ConnectionString + ";Command Timeout=3" };
        var refusal = Assert.Throws<StoreStartException>(() => StoreMigrator.For(hasty).Apply());

        Assert.Contains("Nothing of it was applied. Another transaction has held one of its tables for 5 s", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before.Pending, StoreMigrator.For(options).Status().Pending);

        await transaction.RollbackAsync(Stop);
        Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Apply().State);
    }

    private static int LeastFor(string script) =>
        int.Parse(Regex.IsMatch(script, "_works_with_[0-9]{4}$") ? script.AsSpan(^4..) : script.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);

    private static List<(string Name, int Number, string Sql)> Scripts()
    {
        var all = StoreMigrator.For(new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = "Host=none" }).FullScript();
        return [.. Regex.Matches(all, @"^BEGIN;\n\n-- (?<name>[0-9]{4}_\S+)$.*?^COMMIT;", RegexOptions.Multiline | RegexOptions.Singleline)
            .Select(one => (one.Groups["name"].Value, int.Parse(one.Groups["name"].Value.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture), one.Value))];
    }

    private static PostgreSqlDatabase NewDatabase(StoreOptions options)
    {
        var metrics = new ServiceCollection().AddMetrics().AddSingleton<GridMetrics>().BuildServiceProvider().GetRequiredService<GridMetrics>();
        return new(options, new StoreCondition(TimeProvider.System, NullLogger<StoreCondition>.Instance), metrics, NullLogger<PostgreSqlDatabase>.Instance);
    }

    // The server takes a moment to give the locks of a closed connection back.
    private static async Task UntilAppliedAsync(StoreOptions options)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                Assert.Equal(SchemaState.Current, StoreMigrator.For(options).Apply().State);
                return;
            }
            catch (StoreStartException) when (tries < 600)
            {
                await Task.Delay(100, Stop);
            }
        }
    }

    private static async Task<StoreOptions> InSchemaAsync(StoreOptions options, string schema)
    {
        await ExecuteAsync(options, $"CREATE SCHEMA {schema}");
        return options;
    }

    private static Task JoinAsync(StoreOptions options, string host, string mark) => ExecuteAsync(
        options,
        $"""
        INSERT INTO OrleansMembershipVersionTable (DeploymentId) VALUES ('grid') ON CONFLICT DO NOTHING;
        INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, StartTime, IAmAliveTime)
        VALUES ('grid', '10.0.0.7', 11111, {Random.Shared.Next()}, '{host}#{mark}', '{host}', 3, now(), now())
        """);

    private static async Task ExecuteAsync(StoreOptions options, string sql)
    {
        await using var connection = new NpgsqlConnection(options.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }

    private async Task<StoreOptions> MigratedAsync(int upTo)
    {
        var options = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        foreach (var script in Scripts().Where(script => script.Number <= upTo))
        {
            await ExecuteAsync(options, script.Sql);
        }

        return options;
    }
}
