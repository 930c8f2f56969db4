using System.Runtime.CompilerServices;
using System.Text.Json;
using Npgsql;

namespace Grid.Storage.Importing;

/// <summary>The PostgreSQL database of a SuperTokens core. Only ever read.</summary>
/// <remarks>
/// Three forms of <c>session_info</c> are known: one app and tenant (before plugin 4.0); with <c>app_id</c> and <c>tenant_id</c>; and with the
/// previous refresh token besides (plugin 9.7). Columns are looked for, not versions.
/// </remarks>
public sealed class SuperTokensDatabase : IAsyncDisposable
{
    private const string RefreshKeyName = "refresh_token_key";

    private readonly SuperTokensSource _source;
    private readonly NpgsqlDataSource _database;
    private readonly SuperTokensColumns _columns;

    private SuperTokensDatabase(SuperTokensSource source, NpgsqlDataSource database, SuperTokensColumns columns) =>
        (_source, _database, _columns) = (source, database, columns);

    /// <summary>The form of its tables, for people.</summary>
    public string Generation => !_columns.HasTenants ? "one app and tenant" : _columns.HasPrevious ? "apps and tenants, previous refresh tokens" : "apps and tenants";

    /// <summary>Connects and looks which tables and columns there are.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="maxConnections">Of this process to it, at most.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ImportSourceException">It does not answer, or lacks a table or column.</exception>
    public static async Task<SuperTokensDatabase> OpenAsync(SuperTokensSource source, int maxConnections, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString) { ApplicationName = "grid-import", MaxPoolSize = maxConnections, MaxAutoPrepare = 0 };

        // A server that went away without a word while rows are read, which may take any time, is noticed.
        (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, 30, 10);
        var database = NpgsqlDataSource.Create(settings);
        try
        {
            var columns = await GuardedAsync(source, () => SuperTokensColumns.ReadAsync(source, database, cancellationToken));
            return new SuperTokensDatabase(source, database, columns);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many sessions each tenant has.</summary>
    public Task<IReadOnlyList<SuperTokensTenant>> CountAsync(DateTimeOffset now, CancellationToken cancellationToken) => ListAsync(
        $"""
        SELECT {_columns.App}, {_columns.Tenant}, count(*), count(*) FILTER (WHERE s.expires_at <= $1), max(s.expires_at)
        FROM {_source.Table("session_info")} s GROUP BY 1, 2 ORDER BY 1, 2
        """,
        row => new SuperTokensTenant(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(row.GetInt64(4), 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()))),
        isLong: true, cancellationToken, now.ToUnixTimeMilliseconds());

    /// <summary>Tenants whose sessions are in another database: those of connection-URI domains, and those with a database of their own.</summary>
    public async Task<IReadOnlyList<SuperTokensElsewhere>> FindElsewhereAsync(CancellationToken cancellationToken) => !_columns.HasDomains ? [] :
    [
        .. (await ListAsync(
            $"SELECT connection_uri_domain, app_id, tenant_id, core_config FROM {_source.Table("tenant_configs")} ORDER BY 1, 2, 3",
            row => (Tenant: new SuperTokensElsewhere(Text(row, 0), Text(row, 1), Text(row, 2)), HasDatabase: SuperTokensElsewhere.NamesDatabase(Text(row, 3))), cancellationToken))
            .Where(found => found.HasDatabase || found.Tenant.Domain.Length > 0).Select(found => found.Tenant),
    ];

    /// <summary>Signing keys of access tokens and JWTs, and the keys of refresh tokens; newest first.</summary>
    public async Task<IReadOnlyList<SuperTokensKey>> ReadKeysAsync(CancellationToken cancellationToken)
    {
        var app = _columns.HasTenants ? "app_id" : "'public'";
        return
        [
            .. await ListAsync(
                $"SELECT {app}, created_at_time, value FROM {_source.Table("session_access_token_signing_keys")} ORDER BY 1, 2 DESC",
                row => new SuperTokensKey(row.GetString(0), SuperTokensKeyKind.Dynamic, $"d-{row.GetInt64(1)}", row.GetInt64(1), Text(row, 2)), cancellationToken),
            .. await ListAsync(
                $"SELECT {app}, key_id, coalesce(created_at, 0), key_string FROM {_source.Table("jwt_signing_keys")} WHERE algorithm = 'RS256' ORDER BY 1, 3 DESC",
                row => new SuperTokensKey(row.GetString(0), SuperTokensKeyKind.Static, row.GetString(1), row.GetInt64(2), Text(row, 3)), cancellationToken),
            .. await ListAsync(
                $"SELECT {app}, coalesce(created_at_time, 0), value FROM {_source.Table("key_value")} WHERE name = $1{(_columns.HasTenants ? " AND tenant_id = 'public'" : "")} ORDER BY 1",
                row => new SuperTokensKey(row.GetString(0), SuperTokensKeyKind.Refresh, $"r-{row.GetInt64(1)}", row.GetInt64(1), Text(row, 2)), cancellationToken, RefreshKeyName),
        ];
    }

    /// <summary>Sessions that have not expired, in the order of the table's primary key, from one snapshot.</summary>
    /// <param name="now">Expired ones are left out.</param>
    /// <param name="bound">App, tenant and handle of a session: those behind it are wanted, or it and those before; null for all.</param>
    /// <param name="isBehind">Whether those behind it are.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<SuperTokensSession> ReadSessionsAsync(
        DateTimeOffset now, (string App, string Tenant, string Handle)? bound, bool isBehind, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var order = _columns.HasTenants ? "s.app_id, s.tenant_id, s.session_handle" : "s.session_handle";
        var side = isBehind ? ">" : "<=";
        var beyond = bound is null ? "" : _columns.HasTenants ? $"AND (s.app_id, s.tenant_id, s.session_handle) {side} ($2, $3, $4)" : $"AND s.session_handle {side} $2";
        object[] values = bound is not { } last ? [] : _columns.HasTenants ? [last.App, last.Tenant, last.Handle] : [last.Handle];
        await using var connection = await GuardedAsync(_source, async () => await _database.OpenConnectionAsync(cancellationToken));
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await using (var readOnly = new NpgsqlCommand("SET TRANSACTION READ ONLY", connection, transaction))
        {
            await readOnly.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var read = new NpgsqlCommand($"{_columns.SelectSessions(_source)} WHERE s.expires_at > $1 {beyond} ORDER BY {order}", connection, transaction) { CommandTimeout = 0 };
        read.Parameters.Add(new() { Value = now.ToUnixTimeMilliseconds() });
        foreach (var value in values)
        {
            read.Parameters.Add(new() { Value = value });
        }

        await using var rows = await GuardedAsync(_source, () => read.ExecuteReaderAsync(cancellationToken));
        while (await GuardedAsync(_source, () => rows.ReadAsync(cancellationToken)))
        {
            yield return await GuardedAsync(_source, () => Task.FromResult(SuperTokensColumns.ToSession(rows)));
        }
    }

    /// <summary>The session of this handle, if it has not expired: none or one.</summary>
    public Task<IReadOnlyList<SuperTokensSession>> FindAsync(string app, string tenant, string handle, DateTimeOffset now, CancellationToken cancellationToken) =>
        _columns.HasTenants
            ? ListAsync(
                $"{_columns.SelectSessions(_source)} WHERE s.expires_at > $1 AND s.app_id = $2 AND s.tenant_id = $3 AND s.session_handle = $4",
                SuperTokensColumns.ToSession, cancellationToken, now.ToUnixTimeMilliseconds(), app, tenant, handle)
            : app != "public" || tenant != "public"
                ? Task.FromResult<IReadOnlyList<SuperTokensSession>>([])
                : ListAsync(
                    $"{_columns.SelectSessions(_source)} WHERE s.expires_at > $1 AND s.session_handle = $2",
                    SuperTokensColumns.ToSession, cancellationToken, now.ToUnixTimeMilliseconds(), handle);

    /// <summary>A user's sessions in all tenants of the app that have not expired, those of linked accounts included.</summary>
    public Task<IReadOnlyList<SuperTokensSession>> FindOfUserAsync(string app, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        _columns.HasTenants
            ? ListAsync(
                $"{_columns.SelectSessions(_source)} WHERE s.expires_at > $1 AND s.app_id = $2 AND s.user_id = {_columns.UsersOf(_source, "$2", "$3")}",
                SuperTokensColumns.ToSession, cancellationToken, now.ToUnixTimeMilliseconds(), app, userId)
            : app != "public"
                ? Task.FromResult<IReadOnlyList<SuperTokensSession>>([])
                : ListAsync(
                    $"{_columns.SelectSessions(_source)} WHERE s.expires_at > $1 AND s.user_id = $2",
                    SuperTokensColumns.ToSession, cancellationToken, now.ToUnixTimeMilliseconds(), userId);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static string Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? "" : row.GetString(column);

    private Task<IReadOnlyList<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values) =>
        ListAsync(sql, read, isLong: false, cancellationToken, values);

    private Task<IReadOnlyList<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, bool isLong, CancellationToken cancellationToken, params object[] values) =>
        GuardedAsync<IReadOnlyList<T>>(_source, async () =>
        {
            await using var command = _database.CreateCommand(sql);
            command.CommandTimeout = isLong ? 0 : command.CommandTimeout;
            foreach (var value in values)
            {
                command.Parameters.Add(new() { Value = value });
            }

            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            List<T> rows = [];
            while (await row.ReadAsync(cancellationToken))
            {
                rows.Add(read(row));
            }

            return rows;
        });

    private static async Task<T> GuardedAsync<T>(SuperTokensSource source, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ImportSourceException(
                $"The role may not read the original's tables in {source}: {refusal.MessageText}. GRANT USAGE ON SCHEMA … and GRANT SELECT ON its tables to it.", isAway: false, refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState is ['4', '2', ..])
        {
            throw new ImportSourceException($"The tables in {source} are not as a SuperTokens core makes them: {refusal.MessageText}.", isAway: false, refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState is ['2', '8', ..] or PostgresErrorCodes.InvalidCatalogName)
        {
            throw new ImportSourceException($"The original's database {source} lets nobody in by this URI: {refusal.MessageText}. Check user, password and database in it.", isAway: false, refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState is ['2', '2', ..])
        {
            throw new ImportSourceException($"A value in {source} cannot be read: {refusal.MessageText}. Repair its row or delete it there.", isAway: false, refusal);
        }
        catch (InvalidCastException failure)
        {
            throw new ImportSourceException($"A column in {source} has another type than in SuperTokens' tables: {failure.Message}", isAway: false, failure);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new ImportSourceException($"The original's database {source} does not answer: {failure.Message}", isAway: true, failure);
        }
    }
}

/// <summary>Sessions of a tenant.</summary>
/// <param name="App">Its app.</param>
/// <param name="Tenant">Its id.</param>
/// <param name="Sessions">How many rows.</param>
/// <param name="Expired">How many of them have expired.</param>
/// <param name="LastExpiry">When the last one does.</param>
public sealed record SuperTokensTenant(string App, string Tenant, long Sessions, long Expired, DateTimeOffset LastExpiry);

/// <summary>A tenant whose sessions are in another database.</summary>
/// <param name="Domain">Its connection-URI domain; empty for none.</param>
/// <param name="App">Its app.</param>
/// <param name="Tenant">Its id.</param>
public sealed record SuperTokensElsewhere(string Domain, string App, string Tenant)
{
    private static readonly string[] OfDatabases = ["postgresql_connection_uri", "postgresql_host", "postgresql_port", "postgresql_database_name", "postgresql_table_schema"];

    /// <summary>Whether a tenant's settings name a database. What they say of it may be secret.</summary>
    internal static bool NamesDatabase(string coreConfig)
    {
        try
        {
            using var settings = JsonDocument.Parse(coreConfig);
            return settings.RootElement.ValueKind == JsonValueKind.Object && OfDatabases.Any(name => settings.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <summary>What a key is for.</summary>
public enum SuperTokensKeyKind
{
    /// <summary>Signs access tokens, rotates. Its id is <c>d-</c> and its time.</summary>
    Dynamic = 0,

    /// <summary>Signs JWTs and, where wanted, access tokens; never rotates.</summary>
    Static = 1,

    /// <summary>Encrypts refresh tokens.</summary>
    Refresh = 2,
}

/// <summary>A key as the original has it: in the clear.</summary>
/// <param name="App">Its app.</param>
/// <param name="Kind">What for.</param>
/// <param name="Kid">Its id in tokens; made up for refresh keys, which tokens do not name.</param>
/// <param name="CreatedAt">In ms.</param>
/// <param name="Value">Public and private part in base64 with <c>;</c> or <c>|</c> between, or the secret's text.</param>
public sealed record SuperTokensKey(string App, SuperTokensKeyKind Kind, string Kid, long CreatedAt, string Value)
{
    /// <summary>Only the id.</summary>
    public override string ToString() => Kid;
}
