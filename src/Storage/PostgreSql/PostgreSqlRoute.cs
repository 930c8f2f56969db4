using System.Collections.Concurrent;
using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>How this process reaches PostgreSQL: directly, or through a pooler that may run each transaction on another server connection (PgBouncer).</summary>
/// <remarks>
/// Through a pooler nothing may outlive a transaction: neither prepared statements, whose names another client may use, nor
/// locks, nor settings. Direct connections keep prepared statements, and set at their start the isolation that the statements are
/// written for, regardless of the role's default.
/// </remarks>
internal static class PostgreSqlRoute
{
    private const string Isolation = @"-c default_transaction_isolation=read\ committed";

    // Asked once per process; a failure is not remembered.
    private static readonly ConcurrentDictionary<string, bool> Pooled = new(StringComparer.Ordinal);

    /// <summary>Whether a pooler answers. Asks the server if this process does not know yet.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached.</exception>
    public static async ValueTask<bool> IsPooledAsync(string connectionString, CancellationToken cancellationToken) =>
        Pooled.TryGetValue(connectionString, out var pooled) ? pooled : Remember(connectionString, await AskAsync(connectionString, cancellationToken));

    /// <summary>As <see cref="IsPooledAsync"/> for a start or a verb that has nothing else to do yet: blocks while the server is asked.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached.</exception>
    public static bool IsPooled(string connectionString) =>
        Pooled.TryGetValue(connectionString, out var pooled) ? pooled : Remember(connectionString, Task.Run(() => AskAsync(connectionString, CancellationToken.None)).GetAwaiter().GetResult());

    /// <summary>The operator's connection string with what the route needs; without prepared statements.</summary>
    /// <param name="connectionString">The operator's.</param>
    /// <param name="isPooled">Whether a pooler answers.</param>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString, bool isPooled)
    {
        // A pool is named by its connection string, and its name is an attribute of the driver's metrics.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { PersistSecurityInfo = false };
        if (isPooled)
        {
            // There is nothing to reset, and the reset would reach another server connection.
            (settings.MaxAutoPrepare, settings.NoResetOnClose) = (0, true);
        }
        else
        {
            // Of two that name one setting the last one counts.
            settings.Options = string.IsNullOrEmpty(settings.Options) ? Isolation : $"{settings.Options} {Isolation}";
        }

        return settings;
    }

    /// <summary>Whether a connection ends at the server itself. A pooler invents the key for cancelling, and with it the process id.</summary>
    public static async Task<bool> IsStraightAsync(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        return await ask.ExecuteScalarAsync() is int server && server == connection.ProcessID;
    }

    /// <summary>Why a start was refused, with the repair, if the server has no connection left or a pooler stands in the way; null otherwise.</summary>
    public static string? WhyNoStart(NpgsqlException failure) => Refusal(failure) ?? (failure as PostgresException) switch
    {
        { SqlState: PostgresErrorCodes.TooManyConnections } full =>
            $"PostgreSQL has no connection left for this silo ({full.MessageText}). Raise its max_connections or the CONNECTION LIMIT of role or database, or lower Grid:Store:MaxConnections of the silos.",
        { } statement when statement.MessageText.Contains("statement pooling", StringComparison.Ordinal) =>
            $"The connection pooler before PostgreSQL is in statement mode ({statement.MessageText}), and Grid needs transactions. Set pool_mode = transaction in it, or connect without it.",
        _ => null,
    };

    /// <summary>What a pooler does not pass on, with the repair; null if it is something else.</summary>
    public static string? Refusal(NpgsqlException failure) =>
        failure is PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } refusal && refusal.MessageText.Contains("startup parameter", StringComparison.Ordinal)
            ? $"A connection pooler stands before PostgreSQL and refuses a part of the connection string ({refusal.MessageText}). Take Options, Search Path, Timezone and the like out of it, and give them to the role instead: ALTER ROLE grid SET search_path = …."
            : null;

    // Any of several hosts will do: they stand behind the same pooler, or none does.
    private static async Task<bool> AskAsync(string connectionString, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, MaxAutoPrepare = 0, TargetSessionAttributes = null };
        await using var connection = new NpgsqlConnection(settings.ToString());
        await connection.OpenAsync(cancellationToken);
        return !await IsStraightAsync(connection);
    }

    private static bool Remember(string connectionString, bool isPooled) => Pooled[connectionString] = isPooled;
}
