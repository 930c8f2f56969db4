using System.Net;
using System.Text;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Grid.Adversary.Tests.Operators;

/// <summary>A backup is restored that is older than what was revoked.</summary>
public sealed class RestoreTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_revoked_after_a_backup_stays_dead_when_the_restored_store_is_fenced(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var key = Installation.NewKey();
        var silo = await installation.ServeAsync(key);
        using (var made = await silo.Http.PutAsync("/recipe/multitenancy/app/v2", new StringContent("""{"appId":"shop"}""", Encoding.UTF8, "application/json")))
        {
            Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        }

        var alice = await silo.Http.CreateAsync("alice");
        var inShop = await silo.Http.CreateAsync("alice", "/appid-shop");
        await silo.TerminateAsync();
        var backup = await BackUpAsync(installation);
        silo = await installation.ServeAsync(key);
        Assert.Equal(HttpStatusCode.OK, await silo.Http.RevokeUserAsync("alice"));
        if (postgreSql)
        {
            var (early, why) = await installation.RunAsync(["restore-fence"], key);
            Assert.Equal(2, early);
            Assert.Contains("Stop every silo first", why, StringComparison.Ordinal);
        }

        await silo.TerminateAsync();
        var settings = await RestoreAsync(installation, backup);
        silo = await installation.ServeAsync(key, settings);
        Assert.Equal("OK", await silo.Http.VerifyAsync(alice.Access));
        await silo.TerminateAsync();

        var (dry, would) = await installation.RunAsync(["restore-fence", "--dry-run"], key, settings);
        Assert.True(dry == 0, would);
        Assert.Contains("public, shop", would, StringComparison.Ordinal);
        for (var twice = 0; twice < 2; twice++)
        {
            var (code, said) = await installation.RunAsync(["restore-fence"], key, settings);
            Assert.True(code == 0, said);
            Assert.Contains("shop: every session and ticket ended", said, StringComparison.Ordinal);
        }

        silo = await installation.ServeAsync(key, settings);
        Assert.Equal("UNAUTHORISED", await silo.Http.VerifyAsync(alice.Access));
        Assert.Equal("UNAUTHORISED", await silo.Http.RefreshAsync(alice.Refresh));
        Assert.Equal("UNAUTHORISED", await silo.Http.VerifyAsync(inShop.Access, "/appid-shop"));
        var again = await silo.Http.CreateAsync("alice");
        Assert.Equal("OK", await silo.Http.VerifyAsync(again.Access));
    }

    private static async Task<string> BackUpAsync(Installation installation)
    {
        if (installation.Database is not { } database)
        {
            var copy = Path.Combine(installation.Folder, "backup.db");
            await installation.ExecuteAsync($"VACUUM INTO '{copy}'");
            return copy;
        }

        // A copy of the whole database, as pg_dump and pg_restore would make one.
        var settings = new NpgsqlConnectionStringBuilder(database);
        var (name, source) = ($"{settings.Database}_backup", settings.Database);
        await using var server = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Database = "postgres", Pooling = false }.ConnectionString);
        await server.OpenAsync();
        NpgsqlConnection.ClearAllPools();
        await using var command = new NpgsqlCommand($"CREATE DATABASE \"{name}\" TEMPLATE \"{source}\"", server);
        await command.ExecuteNonQueryAsync();
        settings.Database = name;
        return settings.ConnectionString;
    }

    private static Task<(string, string)[]> RestoreAsync(Installation installation, string backup)
    {
        if (installation.Database is not null)
        {
            return Task.FromResult<(string, string)[]>([("Grid__Store__ConnectionString", backup)]);
        }

        SqliteConnection.ClearAllPools();
        var file = Path.Combine(installation.Folder, "data", "grid.db");
        File.Delete(file + "-wal");
        File.Delete(file + "-shm");
        File.Copy(backup, file, overwrite: true);
        return Task.FromResult<(string, string)[]>([]);
    }
}
