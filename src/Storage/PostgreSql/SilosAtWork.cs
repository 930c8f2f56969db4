using Npgsql;
using NpgsqlTypes;

namespace Grid.Storage.PostgreSql;

/// <summary>Which silos work over the database, and which schema they know: each holds a lock that says so for as long as it has a session (<see cref="PostgreSqlPresence"/>).</summary>
internal static class SilosAtWork
{
    // Of two numbers, so it is no silo's mark, which has one. The first tells installations in one database apart, the second is the newest script
    // that the silo's version knows.
    private const string Installation = "hashtext('grid ' || current_schema())";

    /// <summary>Says which schema this silo knows, until the connection is closed. Parameter: its number.</summary>
    public const string Tell = $"SELECT pg_advisory_lock_shared({Installation}, $1)";

    // Of an empty database, and of one whose first migration broke off.
    private const string HasSilos = "SELECT to_regclass('OrleansMembershipTable') IS NOT NULL";

    // A silo without that lock is of a version that had none. One without a row has not joined yet.
    private const string Older =
        $"""
        WITH held AS (
          SELECT l.pid, l.classid::bigint AS first, l.objid::bigint AS second, l.objsubid FROM pg_locks l
          WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
        told AS (SELECT pid, second AS knows FROM held WHERE objsubid = 2 AND first = {Installation}::bigint & 4294967295),
        silos AS (
          SELECT h.pid, m.HostName || ' (' || m.Address || ':' || m.Port || ')' AS name FROM held h
          JOIN OrleansMembershipTable m ON h.objsubid = 1 AND m.SiloName LIKE '%#' || lpad(to_hex((h.first << 32) | h.second), 16, '0'))
        SELECT DISTINCT coalesce(s.name, 'one that is starting') FROM silos s FULL JOIN told t USING (pid)
        WHERE coalesce(t.knows, $1) < $2 ORDER BY 1
        """;

    /// <summary>Those that know no schema as new as one, for people.</summary>
    /// <param name="transaction">Of the migrator, whose lock keeps silos from joining that have not read the schema yet.</param>
    /// <param name="needed">Number of the schema.</param>
    /// <param name="applied">What those know at best that do not say it: they work over this one.</param>
    public static IReadOnlyList<string> FindOlder(NpgsqlTransaction transaction, int needed, int applied)
    {
        using var has = new NpgsqlCommand(HasSilos, transaction.Connection, transaction);
        if (has.ExecuteScalar() is not true)
        {
            return [];
        }

        using var find = new NpgsqlCommand(Older, transaction.Connection, transaction)
        {
            Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (long)applied }, new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (long)needed } },
        };
        using var rows = find.ExecuteReader();
        List<string> older = [];
        while (rows.Read())
        {
            older.Add(rows.GetString(0));
        }

        return older;
    }
}
