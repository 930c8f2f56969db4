using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>The roles of <c>deploy/sql/roles/postgresql.sql</c>: one that owns the schema, one that silos use, one for services over Orleans.</summary>
public sealed class RoleTests(SharedPostgreSql shared)
{
    private static readonly string[] ReadOnly = ["grid_schema", "orleansquery"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_silos_role_reads_and_writes_every_table_and_can_do_nothing_else()
    {
        var admin = await TestStore.OptionsAsync(StoreEngine.PostgreSql, shared);
        var (owner, silo) = (As(admin, "grid_owner"), As(admin, "grid"));
        await RunFileAsync(admin);

        // A start without CREATE is told who has to migrate.
        var early = Assert.Throws<StoreStartException>(() => StoreMigrator.For(silo).Apply());
        Assert.Contains("as a role that may create tables", early.Message, StringComparison.Ordinal);
        Assert.Equal(SchemaState.Current, StoreMigrator.For(owner).Apply().State);
        await RunFileAsync(admin);

        var rights = await RightsAsync(admin, "grid");
        Assert.Contains("grid_session", rights.Keys);
        Assert.All(rights, table => Assert.Equal(ReadOnly.Contains(table.Key) ? "r" : "arwd", table.Value));
        Assert.Equal(
            ["orleansmembershiptable:r", "orleansquery:r"],
            (await RightsAsync(admin, "grid_gateways")).Where(table => table.Value.Length > 0).Select(table => $"{table.Key}:{table.Value}").Order(StringComparer.Ordinal));
        foreach (var forbidden in new[] { "CREATE TABLE more (x int)", "DROP TABLE grid_ticket", "TRUNCATE grid_session", "ALTER TABLE grid_session ADD COLUMN x int", "DELETE FROM orleansquery" })
        {
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(silo, forbidden))).SqlState);
        }

        Assert.Equal(SchemaState.Current, StoreMigrator.For(silo).Status().State);
        await using var db = TestStore.OpenUnmigrated(silo);
        await db.Startup.CheckAsync(Stop);
        var session = TestStore.NewSession();
        Assert.True(await db.Store.InsertAsync(session, Stop));
        Assert.True(await db.Store.UpdateAsync(session with { Version = 2 }, Stop));
        var revoked = await db.Store.RevokeAsync(
            new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = session.UserId }, RevocationReason.Requested, TestStore.Now(), Stop);
        Assert.Equal([session.Key.Handle], revoked.Sessions);

        // A later migration's table, too.
        await ExecuteAsync(owner, "CREATE TABLE added_later (x int)");
        Assert.Equal("arwd", (await RightsAsync(admin, "grid"))["added_later"]);
    }

    private static StoreOptions As(StoreOptions options, string role) =>
        options with { ConnectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString) { Username = role }.ToString() };

    private static async Task RunFileAsync(StoreOptions options)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Grid.sln")))
        {
            folder = folder.Parent;
        }

        await ExecuteAsync(options, await File.ReadAllTextAsync(Path.Combine(folder.FullName, "deploy", "sql", "roles", "postgresql.sql"), Stop));
    }

    private static async Task ExecuteAsync(StoreOptions options, string sql)
    {
        await using var connection = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }

    /// <summary>Of each table of the schema, in PostgreSQL's letters.</summary>
    private static async Task<Dictionary<string, string>> RightsAsync(StoreOptions options, string role)
    {
        await using var connection = new NpgsqlConnection(options.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Stop);
        await using var read = new NpgsqlCommand(
            """
            SELECT c.relname, concat(
                CASE WHEN has_table_privilege($1, c.oid, 'INSERT') THEN 'a' END, CASE WHEN has_table_privilege($1, c.oid, 'SELECT') THEN 'r' END,
                CASE WHEN has_table_privilege($1, c.oid, 'UPDATE') THEN 'w' END, CASE WHEN has_table_privilege($1, c.oid, 'DELETE') THEN 'd' END,
                CASE WHEN has_table_privilege($1, c.oid, 'TRUNCATE') THEN 'D' END, CASE WHEN has_table_privilege($1, c.oid, 'REFERENCES') THEN 'x' END,
                CASE WHEN has_table_privilege($1, c.oid, 'TRIGGER') THEN 't' END)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'grid' AND c.relkind = 'r'
            """,
            connection);
        read.Parameters.Add(new() { Value = role });
        await using var rows = await read.ExecuteReaderAsync(Stop);
        Dictionary<string, string> rights = [];
        while (await rows.ReadAsync(Stop))
        {
            rights[rows.GetString(0)] = rows.GetString(1);
        }

        return rights;
    }
}
