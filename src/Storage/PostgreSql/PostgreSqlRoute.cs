using System.Collections.Concurrent;
using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>How this process reaches PostgreSQL: straight, or through a pooler that may run each transaction on another server connection (PgBouncer).</summary>
/// <remarks>
/// Through a pooler nothing may outlive a transaction: neither prepared statements, whose names another client's could bear, nor
/// locks, nor settings. Straight connections keep prepared statements, and say at their start which isolation the statements are
/// written for, whatever the role's default is.
/// </remarks>
internal static class PostgreSqlRoute
{
    private const string Isolation = @"-c default_transaction_isolation=read\ committed";

    // Asked once for a process: the start waits for it, and nobody later.
    private static readonly ConcurrentDictionary<string, bool> Pooled = new(StringComparer.Ordinal);

    /// <summary>Whether a pooler answers. Asks the server if this process does not know yet, and blocks meanwhile.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached.</exception>
    public static bool IsPooled(string connectionString)
    {
        if (!Pooled.TryGetValue(connectionString, out var pooled))
        {
            pooled = Ask(connectionString);
            Pooled[connectionString] = pooled;
        }

        return pooled;
    }

    /// <summary>The operator's connection string with what the route needs; without prepared statements.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached.</exception>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (IsPooled(connectionString))
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

    /// <summary>Whether a connection ends at the server itself. A pooler has to make up the key for cancelling, and with it the process id.</summary>
    public static async Task<bool> IsStraightAsync(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        return await ask.ExecuteScalarAsync() is int server && server == connection.ProcessID;
    }

    /// <summary>Why a start was refused, with the repair, if it is for what a pooler does not pass on; null otherwise.</summary>
    public static string? Refusal(NpgsqlException failure) =>
        failure is PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } refusal && refusal.MessageText.Contains("startup parameter", StringComparison.Ordinal)
            ? $"A connection pooler stands before PostgreSQL and refuses a part of the connection string ({refusal.MessageText}). Take Options, Search Path, Timezone and the like out of it, and give them to the role instead: ALTER ROLE grid SET search_path = …."
            : null;

    // Any of several hosts will do: they stand behind the same pooler, or none does.
    private static bool Ask(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, MaxAutoPrepare = 0, TargetSessionAttributes = null };
        using var connection = new NpgsqlConnection(settings.ToString());
        connection.Open();
        return !IsStraightAsync(connection).GetAwaiter().GetResult();
    }
}
