using System.Globalization;
using System.Text.Json.Nodes;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Grid.Bench.Scale;

/// <summary>A store full of sessions, and the silo over it.</summary>
internal sealed class FilledStore : IDisposable
{
    public const string Prefix = "user";

    // What a user has on average.
    public const int PerUser = 10;

    private const string Columns = "handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour";

    private readonly string _folder;
    private readonly string? _postgreSql;
    private readonly string _key = GridServer.NewKey();
    private readonly Dictionary<string, string> _settings;
    private readonly List<(Guid Handle, string UserId)> _written = [];
    private ServerProcess? _silo;
    private int _spares;

    private FilledStore(string folder, string? postgreSql, int size, Dictionary<string, string> settings) =>
        (_folder, _postgreSql, Size, _settings) = (folder, postgreSql, size, settings);

    /// <summary>Sessions that live at the beginning.</summary>
    public int Size { get; }

    public ServerProcess Silo => _silo ?? throw new InvalidOperationException("Its silo has been stopped.");

    public string Connection => _postgreSql!;

    public string Key => _key;

    public SampleRow Sample { get; private set; } = null!;

    public string[] Users { get; private set; } = [];

    /// <param name="folder">Where the silo runs.</param>
    /// <param name="postgreSql">An empty database; null: an SQLite file in the folder.</param>
    /// <param name="size">How many sessions.</param>
    /// <param name="settings">Of the silo, as environment variables.</param>
    public static async Task<FilledStore> StartAsync(string folder, string? postgreSql, int size, Dictionary<string, string> settings)
    {
        Directory.CreateDirectory(folder);
        var store = new FilledStore(folder, postgreSql, size, settings);
        await store.StartSiloAsync();
        try
        {
            Prepare(store.Silo, new SessionPool("sample", 1, 1));
            if (postgreSql is null)
            {
                // Nobody else writes to the file of a silo that runs.
                store.StopSilo();
            }

            store.Sample = await store.ReadSampleAsync();
            store.Users = SessionRows.Names(Prefix, Math.Max(1, size / PerUser));
            await store.WriteAsync(new SessionRows(store.Sample, store.Users, PerUser));
            await store.SettleAsync();
            if (postgreSql is null)
            {
                await store.StartSiloAsync();
            }

            await store.RequireRealAsync();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Unmeasured work, such as making sessions.</summary>
    public static T Prepare<T>(ServerProcess silo, T body)
        where T : IScenario
    {
        using var load = new LoadGenerator(silo.EndPoint, 32);
        load.Run(body, Timeout.InfiniteTimeSpan);
        return body;
    }

    /// <summary>More sessions, of users of their own: to be used up.</summary>
    /// <returns>The users' names.</returns>
    public async Task<string[]> AddAsync(int users, int perUser)
    {
        var names = SessionRows.Names(string.Create(CultureInfo.InvariantCulture, $"spare{_spares++}"), users);
        await WriteAsync(new SessionRows(Sample, names, perUser));
        return names;
    }

    /// <summary>The handles of the sessions written last.</summary>
    public IReadOnlyList<Guid> Last(int count) => [.. _written.TakeLast(count).Select(row => row.Handle)];

    public async Task WriteAsync(SessionRows rows)
    {
        if (_postgreSql is null)
        {
            WriteSqlite(rows);
            return;
        }

        await using var connection = new NpgsqlConnection(_postgreSql);
        await connection.OpenAsync();
        await using (var sessions = await connection.BeginBinaryImportAsync($"COPY grid_session ({Columns}) FROM STDIN (FORMAT BINARY)"))
        {
            foreach (var row in rows.All())
            {
                Note(row);
                await sessions.StartRowAsync();
                await sessions.WriteAsync(row.Handle, NpgsqlDbType.Uuid);
                await sessions.WriteAsync(Sample.App, NpgsqlDbType.Text);
                await sessions.WriteAsync(Sample.Tenant, NpgsqlDbType.Text);
                await sessions.WriteAsync(row.UserId, NpgsqlDbType.Text);
                await sessions.WriteAsync(0L, NpgsqlDbType.Bigint);
                await sessions.WriteAsync(1L, NpgsqlDbType.Bigint);
                await sessions.WriteAsync(row.RefreshHash, NpgsqlDbType.Bytea);
                await sessions.WriteAsync(Sample.Payload, NpgsqlDbType.Text);
                await sessions.WriteAsync(Sample.Data, NpgsqlDbType.Text);
                await sessions.WriteAsync(true, NpgsqlDbType.Boolean);
                await sessions.WriteAsync(row.CreatedAt, NpgsqlDbType.Bigint);
                await sessions.WriteAsync(row.ExpiresAt, NpgsqlDbType.Bigint);
                await sessions.WriteAsync(row.ExpiresHour, NpgsqlDbType.Bigint);
            }

            await sessions.CompleteAsync();
        }

        await using var epochs = await connection.BeginBinaryImportAsync("COPY grid_user_epoch (app, user_id, tenant, epoch) FROM STDIN (FORMAT BINARY)");
        foreach (var user in rows.Users)
        {
            await epochs.StartRowAsync();
            await epochs.WriteAsync(Sample.App, NpgsqlDbType.Text);
            await epochs.WriteAsync(user, NpgsqlDbType.Text);
            await epochs.WriteAsync(Sample.Tenant, NpgsqlDbType.Text);
            await epochs.WriteAsync(0L, NpgsqlDbType.Bigint);
        }

        await epochs.CompleteAsync();
        await epochs.CloseAsync();

        // Counted now, so that a vacuum that follows settles it; otherwise autovacuum begins another one later.
        await using var count = new NpgsqlCommand("SELECT pg_stat_force_next_flush()", connection);
        await count.ExecuteNonQueryAsync();
    }

    /// <summary>What autovacuum would do in the next minutes, so that it is not done while something is measured.</summary>
    public async Task SettleAsync()
    {
        if (_postgreSql is null)
        {
            return;
        }

        await ExecuteAsync("VACUUM ANALYZE grid_session, grid_user_epoch");
        await ExecuteAsync("CHECKPOINT");
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgreSql);
        await connection.OpenAsync();
        await using var count = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await count.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>Its sessions stay.</summary>
    public void StopSilo()
    {
        _silo?.Dispose();
        _silo = null;
    }

    public void Dispose() => StopSilo();

    private async Task StartSiloAsync() => _silo = await GridServer.StartAsync(_folder, _postgreSql, _key, settings: _settings);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgreSql);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }

    private async Task<SampleRow> ReadSampleAsync()
    {
        const string sql = "SELECT app, tenant, payload, data, refresh_current, created_at, expires_at FROM grid_session";
        if (_postgreSql is null)
        {
            using var file = OpenFile();
            using var command = new SqliteCommand(sql, file);
            using var row = command.ExecuteReader();
            row.Read();
            return new SampleRow(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetFieldValue<byte[]>(4).Length, row.GetInt64(5), row.GetInt64(6));
        }

        await using var connection = new NpgsqlConnection(_postgreSql);
        await connection.OpenAsync();
        await using var read = new NpgsqlCommand(sql, connection);
        await using var rows = await read.ExecuteReaderAsync();
        await rows.ReadAsync();
        return new SampleRow(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<byte[]>(4).Length, rows.GetInt64(5), rows.GetInt64(6));
    }

    private void WriteSqlite(SessionRows rows)
    {
        using var file = OpenFile();
        using var transaction = file.BeginTransaction();
        using var insert = new SqliteCommand($"INSERT INTO grid_session ({Columns}) VALUES (@p0, @p1, @p2, @p3, 0, 1, @p4, @p5, @p6, 1, @p7, @p8, @p9)", file, transaction);
        for (var i = 0; i < 10; i++)
        {
            insert.Parameters.Add(new SqliteParameter(string.Create(CultureInfo.InvariantCulture, $"@p{i}"), null));
        }

        foreach (var row in rows.All())
        {
            Note(row);
            object[] values = [row.Handle.ToByteArray(bigEndian: true), Sample.App, Sample.Tenant, row.UserId, row.RefreshHash, Sample.Payload, Sample.Data, row.CreatedAt, row.ExpiresAt, row.ExpiresHour];
            for (var i = 0; i < values.Length; i++)
            {
                insert.Parameters[i].Value = values[i];
            }

            insert.ExecuteNonQuery();
        }

        using var epoch = new SqliteCommand("INSERT INTO grid_user_epoch (app, user_id, tenant, epoch) VALUES (@p0, @p1, @p2, 0)", file, transaction);
        epoch.Parameters.AddWithValue("@p0", Sample.App);
        epoch.Parameters.AddWithValue("@p1", "");
        epoch.Parameters.AddWithValue("@p2", Sample.Tenant);
        foreach (var user in rows.Users)
        {
            epoch.Parameters[1].Value = user;
            epoch.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private SqliteConnection OpenFile()
    {
        var file = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(_folder, "grid.db"), Pooling = false }.ToString());
        file.Open();
        return file;
    }

    private void Note(SessionRow row) => _written.Add((row.Handle, row.UserId));

    // To the product they are sessions like any other: found by their handles and by their users.
    private async Task RequireRealAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{Silo.EndPoint}"), DefaultRequestHeaders = { { "api-key", CoreRequests.ApiKey } } };
        foreach (var (handle, user) in _written.Where((_, i) => i % Math.Max(1, _written.Count / 20) == 0))
        {
            var text = handle.ToString("D");
            var session = await http.GetStringAsync($"/recipe/session?sessionHandle={text}");
            var list = JsonNode.Parse(await http.GetStringAsync($"/recipe/session/user?userId={user}"))!["sessionHandles"]!.AsArray();
            if (!session.Contains($"\"userId\":\"{user}\"", StringComparison.Ordinal) || list.Count != PerUser || !list.Any(listed => (string?)listed == text))
            {
                throw new InvalidOperationException($"{text} of {user} is no session: {session} {list}");
            }
        }
    }
}
