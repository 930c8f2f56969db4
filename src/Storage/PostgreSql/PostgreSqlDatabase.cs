using System.Runtime.CompilerServices;
using Grid.Abstractions;
using Grid.Abstractions.Telemetry;
using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>Connections to PostgreSQL, and what its errors mean.</summary>
internal sealed partial class PostgreSqlDatabase : IStoreStartup, IStoreGuard, IAsyncDisposable
{
    private const int MinVersion = 15;
    private const string Interposed = "A connection pooler has come between Grid and PostgreSQL since the start: start Grid again.";
    private const int MaxStatementAttempts = 6;

    private readonly StoreOptions _options;
    private readonly GridMetrics _metrics;
    private readonly OutageTally _triedAgain;
    private readonly Lock _gate = new();
    private volatile Sources? _sources;

    public PostgreSqlDatabase(StoreOptions options, StoreCondition condition, GridMetrics metrics, ILogger<PostgreSqlDatabase> logger)
    {
        (_options, _metrics) = (options, metrics);
        Condition = condition;
        _triedAgain = new OutageTally(
            TimeProvider.System,
            (state, _) => Log.TriedAgain(logger, state),
            more => Log.MoreTriedAgain(logger, more.Count, more.Kinds),
            _ => { });
    }

    public StoreCondition Condition { get; }

    /// <summary>Runs work on a connection. All failures that leave the outcome unknown, or the work undone, become one kind of exception.</summary>
    /// <remarks>Statements that the server refused for reasons of the moment (deadlock, serialisation) were rolled back and are tried again.</remarks>
    /// <exception cref="StoreUnavailableException">No answer, or one that every statement would get.</exception>
    /// <exception cref="UnstorableValueException">The server refused the values; nothing was done.</exception>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, [CallerMemberName] string operation = "") => RunAsync(isReserved: false, work, operation);

    /// <summary>As <see cref="RunAsync{T}(Func{NpgsqlConnection, Task{T}}, string)"/>, on connections that sessions do not use.</summary>
    public Task<T> RunReservedAsync<T>(Func<NpgsqlConnection, Task<T>> work, [CallerMemberName] string operation = "") => RunAsync(isReserved: true, work, operation);

    private async Task<T> RunAsync<T>(bool isReserved, Func<NpgsqlConnection, Task<T>> work, string operation)
    {
        var started = _metrics.StartStore();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var sources = _sources ?? await OpenSourcesAsync(CancellationToken.None);
                await using var connection = await (isReserved ? sources.Reserved : sources.Shared).OpenConnectionAsync();
                var result = await work(connection);
                _metrics.StoreEnded(started, operation, error: null);
                return result;
            }
            catch (PostgresException refusal) when (attempt < MaxStatementAttempts && IsOfTheMoment(refusal))
            {
                _triedAgain.Met(refusal.SqlState, null);
            }
            catch (PostgresException refusal) when (IsOfItsValues(refusal))
            {
                _metrics.StoreEnded(started, operation, refusal.SqlState);
                throw new UnstorableValueException("A value of this request cannot be stored.", refusal);
            }
            catch (PostgresException refusal)
            {
                _metrics.StoreEnded(started, operation, refusal.SqlState);
                if ((PostgreSqlRoute.Refusal(refusal) is null ? WhyNoWrites(refusal.SqlState) : Interposed) is { } reason)
                {
                    Condition.Failed(reason);
                }

                throw new StoreUnavailableException($"PostgreSQL refused a statement ({refusal.SqlState}).", refusal);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException)
            {
                _metrics.StoreEnded(started, operation, "no_answer");
                throw new StoreUnavailableException("PostgreSQL did not answer.", failure);
            }

            // Spread out, so that writers that collided do not collide again; 0.3 s at most in all.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5 << attempt)));
        }
    }

    /// <summary>Whether values were refused, by the server or (no UTF-8) by its driver: nothing was done, and would not be if it were tried again.</summary>
    public static bool IsRefusal(Exception failure) => failure is ArgumentException;

    /// <summary>Why the server accepts no writes, with the repair; null if the SQLSTATE means something else.</summary>
    public static string? WhyNoWrites(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.DiskFull => "PostgreSQL's disk is full (53100): make room.",
        PostgresErrorCodes.OutOfMemory => "PostgreSQL is out of memory (53200).",
        PostgresErrorCodes.ReadOnlySqlTransaction => "PostgreSQL is read-only (25006): it is a standby, or default_transaction_read_only is on. Connect to the primary (Target Session Attributes=read-write).",
        PostgresErrorCodes.InsufficientPrivilege => "The database role lacks a privilege (42501): grant it access to the schema's tables.",
        ['5', '8', ..] => $"PostgreSQL cannot use its files ({sqlState}): see its log.",
        ['X', 'X', ..] => $"PostgreSQL found damaged data or failed inside ({sqlState}): see its log.",
        ['4', '2', ..] => $"PostgreSQL does not know Grid's tables as they are ({sqlState}): run 'grid migrate', and find out who changed the schema.",
        _ => null,
    };

    /// <exception cref="StoreStartException">The server accepts no writes.</exception>
    public static async Task RefuseReadOnlyAsync(NpgsqlConnection connection, CancellationToken cancellationToken = default)
    {
        await using var show = new NpgsqlCommand("SHOW transaction_read_only", connection);
        if (await show.ExecuteScalarAsync(cancellationToken) is "on")
        {
            throw new StoreStartException(WhyNoWrites(PostgresErrorCodes.ReadOnlySqlTransaction)!);
        }
    }

    public void Verify()
    {
        // The server looks after its files.
    }

    public void TakeOwnership()
    {
        // Any number of silos share the server.
    }

    public async Task<StoreFacts> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await (_sources ?? await OpenSourcesAsync(cancellationToken)).Shared.OpenConnectionAsync(cancellationToken);
            if (connection.PostgreSqlVersion.Major < MinVersion)
            {
                throw new StoreStartException($"PostgreSQL {connection.PostgreSqlVersion} is too old: Grid needs version {MinVersion} or later.");
            }

            await RefuseReadOnlyAsync(connection, cancellationToken);
            var isPooled = await PostgreSqlRoute.IsPooledAsync(_options.RequiredConnectionString, cancellationToken);
            if (isPooled)
            {
                await RefuseIsolationAsync(connection);
                await RequireTransactionsAsync(connection);
            }

            List<string> warnings = [];
            foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes" })
            {
                await using var show = new NpgsqlCommand($"SHOW {setting}", connection);
                if (await show.ExecuteScalarAsync(cancellationToken) is "off")
                {
                    warnings.Add($"PostgreSQL runs with {setting}=off: a crash can lose acknowledged sessions and revocations.");
                }
            }

            if (warnings.Count > 0 && !_options.AllowUnsafeDurability)
            {
                throw new StoreStartException(
                    $"{string.Join(' ', warnings)} Switch it on, or set Grid:Store:AllowUnsafeDurability to true for an installation that may forget.");
            }

            await using var fence = new NpgsqlCommand(
                "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = 'orleansstorage' AND pg_table_is_visible(c.oid) AND i.indisunique AND i.indisvalid AND i.indnullsnotdistinct",
                connection);
            if (await fence.ExecuteScalarAsync(cancellationToken) is not long and not > 0L or 0L)
            {
                throw new StoreStartException("Table OrleansStorage lacks its unique index (OrleansStorage_one_row_per_grain): first writes would not be fenced. Run 'grid migrate'.");
            }

            var place = $"{connection.Host}:{connection.Port}/{connection.Database}{(isPooled ? " through a connection pooler, so without prepared statements" : "")}";
            return new StoreFacts($"PostgreSQL {connection.PostgreSqlVersion}", place, warnings, isPooled ? null : await ReadRoomAsync(connection));
        }
        catch (NpgsqlException failure)
        {
            throw new StoreStartException(
                PostgreSqlRoute.WhyNoStart(failure) ?? $"PostgreSQL cannot be reached: {failure.Message} Check the host, port, user and password of the connection string.", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _triedAgain.Dispose();
        if (_sources is { } sources)
        {
            await sources.Shared.DisposeAsync();
            await sources.Reserved.DisposeAsync();
        }
    }

    // Behind a pooler session settings have no effect, and Orleans' statements begin no transaction that could set its own.
    private static async Task RefuseIsolationAsync(NpgsqlConnection connection)
    {
        await using var show = new NpgsqlCommand("SHOW default_transaction_isolation", connection);
        if (await show.ExecuteScalarAsync() is string isolation and not "read committed")
        {
            throw new StoreStartException(
                $"The database role's default_transaction_isolation is '{isolation}', and through a connection pooler Grid cannot set another. Run ALTER ROLE … SET default_transaction_isolation = 'read committed' (or ALTER DATABASE …), or connect without the pooler.");
        }
    }

    // In statement mode a pooler refuses them, and only them.
    private static async Task RequireTransactionsAsync(NpgsqlConnection connection)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await using var ask = new NpgsqlCommand("SELECT 1", connection, transaction);
        await ask.ExecuteScalarAsync();
        await transaction.CommitAsync();
    }

    private static async Task<StoreRoom> ReadRoomAsync(NpgsqlConnection connection)
    {
        // reserved_connections came with PostgreSQL 16. Limits of a role or a database do not bind a superuser; the smallest counts.
        await using var read = new NpgsqlCommand(
            """
            SELECT room, setting FROM pg_roles r, pg_database d, LATERAL (VALUES
                (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0),
                    'max_connections'),
                (CASE WHEN NOT r.rolsuper THEN nullif(r.rolconnlimit, -1) END, 'CONNECTION LIMIT of the role ' || r.rolname),
                (CASE WHEN NOT r.rolsuper THEN nullif(d.datconnlimit, -1) END, 'CONNECTION LIMIT of the database ' || d.datname)) AS limits (room, setting)
            WHERE r.rolname = session_user AND d.datname = current_database() AND room IS NOT NULL ORDER BY room LIMIT 1
            """,
            connection);
        await using var row = await read.ExecuteReaderAsync();
        await row.ReadAsync();
        return new StoreRoom(row.GetInt32(0), row.GetString(1));
    }

    // Not in the constructor: which settings are right is known when the server has answered once.
    private async ValueTask<Sources> OpenSourcesAsync(CancellationToken cancellationToken)
    {
        // Asked before the lock is taken: nobody waits for the network inside it.
        var isPooled = await PostgreSqlRoute.IsPooledAsync(_options.RequiredConnectionString, cancellationToken);
        lock (_gate)
        {
            return _sources ??= NewSources(isPooled);
        }
    }

    private Sources NewSources(bool isPooled)
    {
        return new Sources(NewSource("sessions", _options.Shares.Sessions), NewSource("leases", _options.Shares.Leases));

        NpgsqlDataSource NewSource(string part, int connections)
        {
            var settings = PostgreSqlPools.Settings(_options, isPooled, part, connections);
            if (!isPooled)
            {
                (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (64, 1);
            }

            return this.NewSource(settings, isPooled);
        }
    }

    private NpgsqlDataSource NewSource(NpgsqlConnectionStringBuilder settings, bool isPooled)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ToString()) { Name = settings.ApplicationName };
        if (!isPooled)
        {
            builder.UsePhysicalConnectionInitializer(
                connection => RequireStraightAsync(connection).GetAwaiter().GetResult(), RequireStraightAsync);
        }

        return builder.Build();
    }

    // A name that leads elsewhere since the start: a pooler would hand one client's prepared statements to another.
    private async Task RequireStraightAsync(NpgsqlConnection connection)
    {
        if (!await PostgreSqlRoute.IsStraightAsync(connection))
        {
            Condition.Failed(Interposed);
            throw new NpgsqlException(Interposed);
        }
    }

    // Data exceptions, constraints, limits (an index entry that is too large): the invariant severity, the other is in the server's language.
    private static bool IsOfItsValues(PostgresException refusal) =>
        refusal is { InvariantSeverity: "ERROR", SqlState: ['2', '2', ..] or ['2', '3', ..] or ['5', '4', ..] };

    private static bool IsOfTheMoment(PostgresException refusal) =>
        refusal.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    /// <param name="Shared">For sessions.</param>
    /// <param name="Reserved">For holders.</param>
    private sealed record Sources(NpgsqlDataSource Shared, NpgsqlDataSource Reserved);

    private static partial class Log
    {
        [LoggerMessage(2600, LogLevel.Information, "PostgreSQL rolled back a transaction ({SqlState}); retrying. Further ones are counted")]
        public static partial void TriedAgain(ILogger logger, string sqlState);

        [LoggerMessage(2610, LogLevel.Information, "PostgreSQL rolled back {Count} more transactions ({SqlStates}); they were retried")]
        public static partial void MoreTriedAgain(ILogger logger, long count, string sqlStates);
    }
}
