using Grid.Abstractions.Installation;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <inheritdoc cref="IInstallationStore"/>
internal sealed class PostgreSqlInstallationStore(PostgreSqlDatabase database) : IInstallationStore, IStoreClock
{
    // As Orleans' grain storage names a grain's state.
    private const string StateRows = "FROM OrleansStorage WHERE GrainTypeString = $1 AND ServiceId = 'grid' AND PayloadBinary IS NOT NULL";

    public Task<InstallationRecord?> ReadAsync(CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var read = new NpgsqlCommand("SELECT cluster_id, canary FROM grid_installation", connection);
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new InstallationRecord { ClusterId = row.GetString(0), Canary = row.GetFieldValue<byte[]>(1) }
            : null;
    });

    public Task CreateAsync(InstallationRecord record, CancellationToken cancellationToken) => ExecuteAsync(
        "INSERT INTO grid_installation (cluster_id, canary) VALUES ($1, $2) ON CONFLICT DO NOTHING", cancellationToken, Text(record.ClusterId), Bytes(record.Canary));

    public async Task<bool> ReplaceCanaryAsync(byte[] former, byte[] canary, CancellationToken cancellationToken) => await ExecuteAsync(
        "UPDATE grid_installation SET canary = $2 WHERE canary = $1", cancellationToken, Bytes(former), Bytes(canary)) == 1;

    public Task RenameClusterAsync(string clusterId, CancellationToken cancellationToken) =>
        ExecuteAsync("UPDATE grid_installation SET cluster_id = $1", cancellationToken, Text(clusterId));

    public Task<IReadOnlyList<StoredKeysRow>> ReadKeysAsync(CancellationToken cancellationToken) => ListStatesAsync("keys", cancellationToken);

    public Task<IReadOnlyList<StoredKeysRow>> ReadAppsAsync(CancellationToken cancellationToken) => ListStatesAsync("app", cancellationToken);

    public async Task<bool> ReplaceKeysAsync(StoredKeysRow row, byte[] payload, CancellationToken cancellationToken)
    {
        var (text, number) = ExactKey.ToColumns(row.App);
        return await ExecuteAsync(
            """
            UPDATE OrleansStorage SET PayloadBinary = $4, ModifiedOn = now(), Version = Version + 1
            WHERE GrainTypeString = 'keys' AND ServiceId = 'grid' AND GrainIdN1 = $2 AND GrainIdExtensionString IS NOT DISTINCT FROM $1 AND Version = $3
            """,
            cancellationToken, Text(text), Number(number), new NpgsqlParameter<int> { TypedValue = row.Version }, Bytes(payload)) == 1;
    }

    public Task AnnounceAsync(string address, string? keyIds, CancellationToken cancellationToken) => keyIds is null
        ? ExecuteAsync("DELETE FROM grid_silo_keys WHERE address = $1", cancellationToken, Text(address))
        : ExecuteAsync(
            "INSERT INTO grid_silo_keys (address, key_ids) VALUES ($1, $2) ON CONFLICT (address) DO UPDATE SET key_ids = excluded.key_ids",
            cancellationToken, Text(address), Text(keyIds));

    public Task<IReadOnlyList<SiloKeys>> ReadAnnouncedAsync(CancellationToken cancellationToken) => ListAsync(
        "SELECT address, key_ids FROM grid_silo_keys", row => new SiloKeys(row.GetString(0), row.GetString(1)), cancellationToken);

    // Not now(): that is when the transaction began.
    async ValueTask<StoreTime> IStoreClock.ReadAsync(CancellationToken cancellationToken) => new(
        await database.RunReservedAsync(async connection =>
        {
            await using var read = new NpgsqlCommand("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", connection);
            return DateTimeOffset.FromUnixTimeMilliseconds((long)(await read.ExecuteScalarAsync(cancellationToken))!);
        }, "read_clock"),
        IsRunning: true);

    ValueTask IStoreClock.MarkAsync(DateTimeOffset now, bool backwards, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private Task<IReadOnlyList<StoredKeysRow>> ListStatesAsync(string state, CancellationToken cancellationToken) => ListAsync(
        $"SELECT GrainIdExtensionString, GrainIdN1, PayloadBinary, Version {StateRows}",
        row => new StoredKeysRow(
            ExactKey.FromColumns(row.IsDBNull(0) ? null : row.GetString(0), row.GetInt64(1)), row.GetFieldValue<byte[]>(2), row.GetInt32(3)),
        cancellationToken, Text(state));

    private static NpgsqlParameter Bytes(byte[] value) => new() { NpgsqlDbType = NpgsqlDbType.Bytea, Value = value };

    private Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => database.RunReservedAsync(async connection =>
    {
        await using var command = new NpgsqlCommand(sql, connection);

        // A statement that is tried again must not hand the same parameters to another command.
        command.Parameters.AddRange(System.Array.ConvertAll(parameters, parameter => parameter.Clone()));
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }, "write_installation");

    private Task<IReadOnlyList<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) =>
        database.RunReservedAsync<IReadOnlyList<T>>(async connection =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(System.Array.ConvertAll(parameters, parameter => parameter.Clone()));
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            List<T> rows = [];
            while (await row.ReadAsync(cancellationToken))
            {
                rows.Add(read(row));
            }

            return rows;
        }, "read_installation");
}
