using System.Diagnostics;
using Grid.Bench.Http.Load;
using Microsoft.Data.Sqlite;

namespace Grid.Bench.Http.Baselines;

/// <summary>The bare statements through Microsoft.Data.Sqlite on Grid's own file, WAL and full sync as Grid has them. A file has one writer: one loop.</summary>
internal static class SqliteLoop
{
    private const string InsertSql =
        """
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour)
        VALUES ($1, $2, $3, $4, 0, 1, $5, $6, $7, 1, $8, $9, $10)
        """;

    private const string SelectSql =
        """
        SELECT handle, app, tenant, user_id, user_epoch, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at
        FROM grid_session WHERE handle = $1
        """;

    public static (Latencies Insert, Latencies Select) Run(string path, TimeSpan duration)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using (var pragma = connection.CreateCommand())
        {
            pragma.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
            pragma.ExecuteNonQuery();
        }

        var handles = new List<byte[]>();
        var insert = Loop(connection, duration, InsertSql, command =>
        {
            var handle = Guid.NewGuid();
            handles.Add(handle.ToByteArray(bigEndian: true));
            Fill(command, handles[^1], SqlRow.App, SqlRow.Tenant, handle.ToString(), SqlRow.NewHash(), SqlRow.Payload, SqlRow.Data, SqlRow.CreatedAt, SqlRow.ExpiresAt, SqlRow.ExpiresHour);
        });
        var select = Loop(connection, duration, SelectSql, command => Fill(command, handles[Random.Shared.Next(handles.Count)]));
        return (insert, select);
    }

    private static Latencies Loop(SqliteConnection connection, TimeSpan duration, string sql, Action<SqliteCommand> fill)
    {
        var latencies = new Latencies();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        fill(command);
        command.Prepare();
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            var sent = Stopwatch.GetTimestamp();
            using (var reader = command.ExecuteReader())
            {
                while (reader.Read())
                {
                    _ = reader.GetString(9);
                }
            }

            latencies.Add(Stopwatch.GetTimestamp() - sent);
            fill(command);
        }

        latencies.Elapsed = Stopwatch.GetElapsedTime(began);
        return latencies;
    }

    private static void Fill(SqliteCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (command.Parameters.Count <= i)
            {
                command.Parameters.AddWithValue($"${i + 1}", values[i]);
            }
            else
            {
                command.Parameters[i].Value = values[i];
            }
        }
    }
}
