using System.Security.Cryptography;
using Grid.TestKit;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Grid.Adversary.Tests.Operators;

/// <summary>A store of either engine with what an operator keeps beside it.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly PostgreSqlServer? _server;
    private readonly List<GridProcess> _silos = [];

    private Installation(PostgreSqlServer? server, string? database) => (_server, Database) = (server, database);

    /// <summary>Null: the embedded file.</summary>
    public string? Database { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("grid-operator-").FullName;

    public static async Task<Installation> NewAsync(bool postgreSql)
    {
        if (!postgreSql)
        {
            return new Installation(null, null);
        }

        var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        return new Installation(server, await server!.CreateDatabaseAsync());
    }

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Where the store is and which key it has, beside other settings.</summary>
    public (string, string)[] Settings(string key, params (string, string)[] others) =>
        [.. Database is null ? (ReadOnlySpan<(string, string)>)[] : [("Grid__Store__ConnectionString", Database)], ("Grid__Keys__EncryptionKey", key), .. others];

    public async Task<GridProcess> ServeAsync(string key, params (string, string)[] others)
    {
        var silo = await GridProcess.ServeAsync(Folder, Settings(key, others));
        _silos.Add(silo);
        return silo;
    }

    /// <summary>A start that is expected to end by itself.</summary>
    public Task<(int Code, string Output)> TryServeAsync(string key, params (string, string)[] others) =>
        GridProcess.RunAsync(Folder, ["serve", "--Grid:Core:Port=0", "--Grid:Front:Port=0"], Settings(key, others));

    public Task<(int Code, string Output)> RunAsync(string[] verb, string key, params (string, string)[] others) => GridProcess.RunAsync(Folder, verb, Settings(key, others));

    /// <summary>One statement on the store, past Grid. A process of the embedded file must have ended.</summary>
    public async Task ExecuteAsync(string sql)
    {
        if (Database is null)
        {
            await using var file = new SqliteConnection($"Data Source={Path.Combine(Folder, "data", "grid.db")};Pooling=False");
            await file.OpenAsync();
            await using var command = new SqliteCommand(sql, file);
            await command.ExecuteNonQueryAsync();
        }
        else
        {
            await using var server = new NpgsqlConnection(Database);
            await server.OpenAsync();
            await using var command = new NpgsqlCommand(sql, server);
            await command.ExecuteNonQueryAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _silos.ForEach(silo => silo.Dispose());
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }
}
