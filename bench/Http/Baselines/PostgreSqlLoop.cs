using System.Collections.Concurrent;
using System.Diagnostics;
using Grid.Bench.Http.Load;
using Npgsql;

namespace Grid.Bench.Http.Baselines;

/// <summary>The bare statements through Npgsql, prepared, each its own transaction, one connection per loop, on Grid's own tables.</summary>
internal static class PostgreSqlLoop
{
    private const string InsertSql =
        """
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour)
        VALUES ($1, $2, $3, $4, 0, 1, $5, $6, $7, true, $8, $9, $10)
        """;

    private const string SelectSql =
        """
        SELECT handle, app, tenant, user_id, user_epoch, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at
        FROM grid_session WHERE handle = $1
        """;

    public static async Task<(Latencies Insert, Latencies Select)> RunAsync(string connectionString, int concurrency, TimeSpan duration)
    {
        var handles = new ConcurrentQueue<Guid>();
        var insert = await LoopsAsync(connectionString, concurrency, duration, InsertSql, command =>
        {
            var handle = Guid.NewGuid();
            handles.Enqueue(handle);
            Fill(command, handle, SqlRow.App, SqlRow.Tenant, handle.ToString(), SqlRow.NewHash(), SqlRow.Payload, SqlRow.Data, SqlRow.CreatedAt, SqlRow.ExpiresAt, SqlRow.ExpiresHour);
        });
        var known = handles.ToArray();
        var select = await LoopsAsync(connectionString, concurrency, duration, SelectSql, command => Fill(command, known[Random.Shared.Next(known.Length)]));
        return (insert, select);
    }

    private static async Task<Latencies> LoopsAsync(string connectionString, int concurrency, TimeSpan duration, string sql, Action<NpgsqlCommand> fill)
    {
        var pooled = new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = concurrency };
        await using var source = NpgsqlDataSource.Create(pooled.ToString());
        var all = new Latencies();
        var began = Stopwatch.GetTimestamp();
        var each = await Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(() => LoopAsync(source, duration, sql, fill))));
        foreach (var latencies in each)
        {
            all.Add(latencies);
        }

        all.Elapsed = Stopwatch.GetElapsedTime(began);
        return all;
    }

    private static async Task<Latencies> LoopAsync(NpgsqlDataSource source, TimeSpan duration, string sql, Action<NpgsqlCommand> fill)
    {
        var latencies = new Latencies();
        await using var connection = await source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        fill(command);
        await command.PrepareAsync();
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            var sent = Stopwatch.GetTimestamp();
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    _ = reader.GetString(9);
                }
            }

            latencies.Add(Stopwatch.GetTimestamp() - sent);
            fill(command);
        }

        return latencies;
    }

    private static void Fill(NpgsqlCommand command, params object[] values)
    {
        if (command.Parameters.Count == 0)
        {
            foreach (var value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            return;
        }

        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }
    }
}
