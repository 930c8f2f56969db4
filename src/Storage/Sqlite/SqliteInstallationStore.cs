using Grid.Abstractions.Installation;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <inheritdoc cref="IInstallationStore"/>
internal sealed class SqliteInstallationStore(SqliteDatabase database, SqliteWriter writer) : IInstallationStore, IStoreClock
{
    public Task<InstallationRecord?> ReadAsync(CancellationToken cancellationToken) => ReadAsync<InstallationRecord?>(statements =>
    {
        using var row = statements.With("SELECT cluster_id, canary FROM grid_installation").ExecuteReader();
        return row.Read() ? new InstallationRecord { ClusterId = row.GetString(0), Canary = row.GetFieldValue<byte[]>(1) } : null;
    });

    public Task CreateAsync(InstallationRecord record, CancellationToken cancellationToken) =>
        ExecuteAsync("INSERT INTO grid_installation (one, cluster_id, canary) VALUES (1, @p0, @p1) ON CONFLICT DO NOTHING", record.ClusterId, record.Canary);

    public async Task<bool> ReplaceCanaryAsync(byte[] former, byte[] canary, CancellationToken cancellationToken) =>
        await ExecuteAsync("UPDATE grid_installation SET canary = @p1 WHERE canary = @p0", former, canary) == 1;

    public Task RenameClusterAsync(string clusterId, CancellationToken cancellationToken) =>
        ExecuteAsync("UPDATE grid_installation SET cluster_id = @p0", clusterId);

    public Task<IReadOnlyList<StoredKeysRow>> ReadKeysAsync(CancellationToken cancellationToken) => ListStatesAsync("keys");

    public Task<IReadOnlyList<StoredKeysRow>> ReadAppsAsync(CancellationToken cancellationToken) => ListStatesAsync("app");

    public async Task<bool> ReplaceKeysAsync(StoredKeysRow row, byte[] payload, CancellationToken cancellationToken)
    {
        var (text, number) = ExactKey.ToColumns(row.App);
        return await ExecuteAsync(
            """
            UPDATE OrleansStorage SET PayloadBinary = @p3, ModifiedOn = datetime('now'), Version = Version + 1
            WHERE GrainTypeString = 'keys' AND ServiceId = 'grid' AND GrainIdN1 = @p1 AND COALESCE(GrainIdExtensionString, '') = @p0 AND Version = @p2
            """,
            text ?? "", number, row.Version, payload) == 1;
    }

    public Task AnnounceAsync(string address, string? keyIds, CancellationToken cancellationToken) => keyIds is null
        ? ExecuteAsync("DELETE FROM grid_silo_keys WHERE address = @p0", address)
        : ExecuteAsync("INSERT INTO grid_silo_keys (address, key_ids) VALUES (@p0, @p1) ON CONFLICT (address) DO UPDATE SET key_ids = excluded.key_ids", address, keyIds);

    public Task<IReadOnlyList<SiloKeys>> ReadAnnouncedAsync(CancellationToken cancellationToken) =>
        ListAsync("SELECT address, key_ids FROM grid_silo_keys", row => new SiloKeys(row.GetString(0), row.GetString(1)));

    async ValueTask<StoreTime> IStoreClock.ReadAsync(CancellationToken cancellationToken)
    {
        var marked = await ReadAsync(statements => statements.With("SELECT last_seen FROM grid_installation").ExecuteScalar());
        return new StoreTime(marked is long and > 0 ? DateTimeOffset.FromUnixTimeMilliseconds((long)marked) : null, IsRunning: false);
    }

    async ValueTask IStoreClock.MarkAsync(DateTimeOffset now, bool backwards, CancellationToken cancellationToken) => await ExecuteAsync(
        backwards ? "UPDATE grid_installation SET last_seen = @p0" : "UPDATE grid_installation SET last_seen = max(last_seen, @p0)", now.ToUnixTimeMilliseconds());

    private Task<IReadOnlyList<StoredKeysRow>> ListStatesAsync(string state) => ListAsync(
        $"""
        SELECT GrainIdExtensionString, GrainIdN1, PayloadBinary, Version FROM OrleansStorage
        WHERE GrainTypeString = '{state}' AND ServiceId = 'grid' AND PayloadBinary IS NOT NULL
        """,
        row => new StoredKeysRow(ExactKey.FromColumns(row.IsDBNull(0) ? null : row.GetString(0), row.GetInt64(1)), row.GetFieldValue<byte[]>(2), row.GetInt32(3)));

    private Task<int> ExecuteAsync(string sql, params object[] values) => writer.WriteAsync(statements => statements.With(sql, values).ExecuteNonQuery());

    private Task<IReadOnlyList<T>> ListAsync<T>(string sql, Func<SqliteDataReader, T> read) => ReadAsync<IReadOnlyList<T>>(statements =>
    {
        using var row = statements.With(sql).ExecuteReader();
        List<T> rows = [];
        while (row.Read())
        {
            rows.Add(read(row));
        }

        return rows;
    });

    private Task<T> ReadAsync<T>(Func<SqliteStatements, T> read)
    {
        try
        {
            return Task.FromResult(database.Read(read, "read_installation"));
        }
        catch (Exception failure)
        {
            return Task.FromException<T>(failure);
        }
    }
}
