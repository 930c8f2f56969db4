using Grid.Abstractions.Sessions;
using Microsoft.Data.Sqlite;

namespace Grid.StoreWrites;

/// <summary>The baseline: one prepared statement and one commit per write. SQLite has one writer at a time, so callers queue.</summary>
internal sealed class BareSqliteWriter : IWriter
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _update;
    private readonly SemaphoreSlim _one = new(1);

    public BareSqliteWriter(string connectionString)
    {
        _connection = new SqliteConnection(connectionString);
        _connection.Open();
        using (var settings = _connection.CreateCommand())
        {
            settings.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
            settings.ExecuteNonQuery();
        }

        _insert = Prepare(
            """
            INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour)
            VALUES (@p0, @p1, @p2, @p3, 0, 1, @p4, @p5, @p6, @p7, @p8, @p9, @p10)
            """, 11);
        _update = Prepare(
            """
            UPDATE grid_session
            SET version = @p3, refresh_current = @p4, refresh_previous = @p5, rotated_at = @p6, payload = @p7, data = @p8, use_dynamic_key = @p9, expires_at = @p10, expires_hour = @p11
            WHERE handle = @p0 AND app = @p1 AND tenant = @p2 AND version = @p3 - 1
            """, 12);
    }

    public string Name => "one prepared statement each";

    public Task CreateAsync(SessionRecord session) => ExecuteAsync(
        _insert, session.Key.Handle.Id.ToByteArray(bigEndian: true), session.Key.App.ToString(), session.Key.Handle.TenantId, session.UserId,
        session.Chain.Current.ToArray(), session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0,
        session.CreatedAt.ToUnixTimeMilliseconds(), session.ExpiresAt.ToUnixTimeMilliseconds(), session.ExpiresAt.ToUnixTimeSeconds() / 3600);

    public Task RefreshAsync(SessionRecord session) => ExecuteAsync(
        _update, session.Key.Handle.Id.ToByteArray(bigEndian: true), session.Key.App.ToString(), session.Key.Handle.TenantId, session.Version,
        session.Chain.Current.ToArray(), session.Chain.Previous?.ToArray(), session.Chain.RotatedAt?.ToUnixTimeMilliseconds(),
        session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0, session.ExpiresAt.ToUnixTimeMilliseconds(),
        session.ExpiresAt.ToUnixTimeSeconds() / 3600);

    public async ValueTask DisposeAsync()
    {
        await _insert.DisposeAsync();
        await _update.DisposeAsync();
        await _connection.DisposeAsync();
        _one.Dispose();
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"@p{i}" });
        }

        command.Prepare();
        return command;
    }

    private async Task ExecuteAsync(SqliteCommand command, params object?[] values)
    {
        await _one.WaitAsync();
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters[i].Value = values[i] ?? DBNull.Value;
            }

            Stored.OrThrow(command.ExecuteNonQuery() == 1);
        }
        finally
        {
            _one.Release();
        }
    }
}
