using Grid.Abstractions.Sessions;
using Npgsql;
using NpgsqlTypes;

namespace Grid.StoreWrites;

/// <summary>The baseline: one prepared statement and one commit per write, nothing checked but the version.</summary>
internal sealed class BarePostgreSqlWriter(string connectionString) : IWriter
{
    private const string Insert =
        """
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour)
        VALUES ($1, $2, $3, $4, 0, 1, $5, $6, $7, $8, $9, $10, $11)
        """;

    private const string Update =
        """
        UPDATE grid_session
        SET version = $4, refresh_current = $5, refresh_previous = $6, rotated_at = $7, payload = $8, data = $9, use_dynamic_key = $10, expires_at = $11, expires_hour = $12
        WHERE handle = $1 AND app = $2 AND tenant = $3 AND version = $4 - 1
        """;

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 16, AutoPrepareMinUsages = 1, MaxPoolSize = 64 });

    public string Name => "one prepared statement each";

    public Task CreateAsync(SessionRecord session) => ExecuteAsync(
        Insert, session.Key.Handle.Id, session.Key.App.ToString(), session.Key.Handle.TenantId, session.UserId, session.Chain.Current.ToArray(),
        session.PayloadJson, session.DataJson, session.UseDynamicKey, session.CreatedAt.ToUnixTimeMilliseconds(),
        session.ExpiresAt.ToUnixTimeMilliseconds(), session.ExpiresAt.ToUnixTimeSeconds() / 3600);

    public Task RefreshAsync(SessionRecord session) => ExecuteAsync(
        Update, session.Key.Handle.Id, session.Key.App.ToString(), session.Key.Handle.TenantId, session.Version, session.Chain.Current.ToArray(),
        session.Chain.Previous?.ToArray(), session.Chain.RotatedAt?.ToUnixTimeMilliseconds(), session.PayloadJson, session.DataJson,
        session.UseDynamicKey, session.ExpiresAt.ToUnixTimeMilliseconds(), session.ExpiresAt.ToUnixTimeSeconds() / 3600);

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task ExecuteAsync(string sql, params object?[] values)
    {
        await using var command = _source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value switch
            {
                null => new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = DBNull.Value },
                _ => new NpgsqlParameter { Value = value },
            });
        }

        Stored.OrThrow(await command.ExecuteNonQueryAsync() == 1);
    }
}
