using Grid.Abstractions;
using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>Connections to PostgreSQL, and what its errors mean.</summary>
internal sealed partial class PostgreSqlDatabase : IStoreStartup, IStoreGuard, IAsyncDisposable
{
    // Below the request budget of 10 s, so that a caller hears of it.
    private const int CommandTimeoutSeconds = 8;
    private const int MinVersion = 15;
    private const int MaxStatementAttempts = 4;

    // Holders: the registry must hear of them however long the queue of sessions is.
    private const int ReservedConnections = 3;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _reserved;
    private readonly StoreOptions _options;
    private readonly OutageTally _triedAgain;

    public PostgreSqlDatabase(StoreOptions options, StoreCondition condition, ILogger<PostgreSqlDatabase> logger)
    {
        _options = options;
        Condition = condition;
        _triedAgain = new OutageTally(
            TimeProvider.System,
            (state, _) => Log.TriedAgain(logger, state),
            more => Log.MoreTriedAgain(logger, more.Count, more.Kinds),
            _ => { });
        var settings = new NpgsqlConnectionStringBuilder(options.RequiredConnectionString)
        {
            ApplicationName = "grid",
            MaxPoolSize = options.MaxConnections,
            CommandTimeout = CommandTimeoutSeconds,
            Timeout = 5,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 1,
            IncludeErrorDetail = false,
        };
        _source = NpgsqlDataSource.Create(settings);
        settings.MaxPoolSize = ReservedConnections;
        _reserved = NpgsqlDataSource.Create(settings);
    }

    public StoreCondition Condition { get; }

    /// <summary>Runs work on a connection; every failure that leaves the outcome open, or the work undone, is one kind of exception.</summary>
    /// <remarks>Statements that the server refused for reasons of the moment (deadlock, serialisation) were rolled back and are tried again.</remarks>
    /// <exception cref="StoreUnavailableException">No answer, or one that every statement would get.</exception>
    /// <exception cref="UnstorableValueException">The server refused the values; nothing was done.</exception>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work) => RunAsync(_source, work);

    /// <summary>As <see cref="RunAsync{T}(Func{NpgsqlConnection, Task{T}})"/>, on connections that sessions do not use.</summary>
    public Task<T> RunReservedAsync<T>(Func<NpgsqlConnection, Task<T>> work) => RunAsync(_reserved, work);

    private async Task<T> RunAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, Task<T>> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync();
                return await work(connection);
            }
            catch (PostgresException refusal) when (attempt < MaxStatementAttempts && IsOfTheMoment(refusal))
            {
                _triedAgain.Met(refusal.SqlState, null);
            }
            catch (PostgresException refusal) when (IsOfItsValues(refusal))
            {
                throw new UnstorableValueException("A value of this request cannot be stored.", refusal);
            }
            catch (PostgresException refusal)
            {
                if (WhyNoWrites(refusal.SqlState) is { } reason)
                {
                    Condition.Failed(reason);
                }

                throw new StoreUnavailableException($"PostgreSQL refused a statement ({refusal.SqlState}).", refusal);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException)
            {
                throw new StoreUnavailableException("PostgreSQL did not answer.", failure);
            }
        }
    }

    /// <summary>Whether values were refused, by the server or (no UTF-8) by its driver: nothing was done, and would not be if it were tried again.</summary>
    public static bool IsRefusal(Exception failure) => failure is ArgumentException;

    /// <summary>What keeps the server from taking writes, with the repair; null if the state (SQLSTATE) is of another kind.</summary>
    public static string? WhyNoWrites(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.DiskFull => "PostgreSQL's disk is full (53100): make room.",
        PostgresErrorCodes.OutOfMemory => "PostgreSQL is out of memory (53200).",
        PostgresErrorCodes.ReadOnlySqlTransaction => "PostgreSQL is read-only (25006): it is a standby, or default_transaction_read_only is on. Connect to the primary (Target Session Attributes=read-write).",
        PostgresErrorCodes.InsufficientPrivilege => "The database role lacks a right (42501): grant it the tables of the schema.",
        ['5', '8', ..] => $"PostgreSQL cannot use its files ({sqlState}): see its log.",
        ['X', 'X', ..] => $"PostgreSQL found damaged data or failed inside ({sqlState}): see its log.",
        ['4', '2', ..] => $"PostgreSQL does not know Grid's tables as they are ({sqlState}): run 'grid migrate', and look who changed the schema.",
        _ => null,
    };

    /// <exception cref="StoreStartException">The server takes no writes.</exception>
    public static async Task RefuseReadOnlyAsync(NpgsqlConnection connection)
    {
        await using var show = new NpgsqlCommand("SHOW transaction_read_only", connection);
        if (await show.ExecuteScalarAsync() is "on")
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
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            if (connection.PostgreSqlVersion.Major < MinVersion)
            {
                throw new StoreStartException($"PostgreSQL {connection.PostgreSqlVersion} is too old: Grid needs version {MinVersion} or later.");
            }

            await RefuseReadOnlyAsync(connection);
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

            return new StoreFacts($"PostgreSQL {connection.PostgreSqlVersion}", $"{connection.Host}:{connection.Port}/{connection.Database}", warnings);
        }
        catch (NpgsqlException failure)
        {
            throw new StoreStartException($"PostgreSQL cannot be reached: {failure.Message} Check the host, port, user and password of the connection string.", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _triedAgain.Dispose();
        await _source.DisposeAsync();
        await _reserved.DisposeAsync();
    }

    // Data exceptions, constraints, limits (an index entry that is too large): the invariant severity, the other is in the server's language.
    private static bool IsOfItsValues(PostgresException refusal) =>
        refusal is { InvariantSeverity: "ERROR", SqlState: ['2', '2', ..] or ['2', '3', ..] or ['5', '4', ..] };

    private static bool IsOfTheMoment(PostgresException refusal) =>
        refusal.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    private static partial class Log
    {
        [LoggerMessage(2600, LogLevel.Information, "PostgreSQL refused a transaction for the moment ({SqlState}); trying again. More of these are counted")]
        public static partial void TriedAgain(ILogger logger, string sqlState);

        [LoggerMessage(2610, LogLevel.Information, "PostgreSQL refused {Count} more transactions for the moment ({SqlStates}); they were tried again")]
        public static partial void MoreTriedAgain(ILogger logger, long count, string sqlStates);
    }
}
