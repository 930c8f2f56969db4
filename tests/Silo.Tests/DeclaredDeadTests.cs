using System.Security.Cryptography;
using Grid.TestKit;
using Npgsql;

namespace Grid.Silo.Tests;

/// <summary>A silo that was cut off comes back and finds that the others, or the database's schema, have gone on without it.</summary>
public sealed class DeclaredDeadTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-dead-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_silo_that_was_declared_dead_ends_with_one_sentence_and_no_stack()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var store = await server.CreateDatabaseAsync();
        using var grid = await ServeAsync(store);

        // As another silo writes it.
        await ExecuteAsync(store, "UPDATE OrleansMembershipTable SET Status = 6; UPDATE OrleansMembershipVersionTable SET Version = Version + 1");
        await EndedAsync(grid);

        Assert.Equal(4, grid.ExitCode);
        Assert.Single(grid.Output.Split('\n'), line => line.Contains("[1055] The other silos have declared this one dead", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", grid.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("told I am dead", grid.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_a_migration_has_overtaken_ends_with_one_sentence_and_the_version_to_start()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var store = await server.CreateDatabaseAsync();
        using var grid = await ServeAsync(store);

        // A later version migrates while no session of this silo is there to be seen.
        await ExecuteAsync(
            store,
            "INSERT INTO grid_schema (scriptname, applied) VALUES ('9001_takes_away', now()); SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% presence'");
        await EndedAsync(grid);

        Assert.Equal(3, grid.ExitCode);
        var line = Assert.Single(grid.Output.Split('\n'), line => line.Contains("[1057]", StringComparison.Ordinal));
        Assert.Contains("schema 9001_takes_away", line, StringComparison.Ordinal);
        Assert.Contains("Start the version of Grid that migrated it", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", grid.Output, StringComparison.Ordinal);
    }

    private static async Task ExecuteAsync(string store, string sql)
    {
        await using var connection = new NpgsqlConnection(store);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }

    private static async Task EndedAsync(GridProcess grid)
    {
        for (var tries = 0; !grid.HasExited; tries++)
        {
            Assert.True(tries < 1200, $"It goes on: {grid.Output}");
            await Task.Delay(100, Stop);
        }
    }

    private Task<GridProcess> ServeAsync(string store) => GridProcess.ServeAsync(
        _folder,
        ("Grid__Store__ConnectionString", store),
        ("Grid__Store__AllowUnsafeDurability", "true"),
        ("Grid__Keys__EncryptionKey", Convert.ToBase64String(SHA256.HashData("dead"u8))),
        ("Grid__Cluster__SiloPort", "0"),
        ("Grid__Cluster__Address", "127.0.0.1"));
}
