using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>Every statement on the registry of holders, and how the log is read.</summary>
internal static class HolderSql
{
    public const string EntryColumns = "r.position, r.kind, r.app, r.tenant, r.handle, r.user_id, r.epoch, r.kept, r.kid, r.reason, r.at";

    public const string Register =
        "INSERT INTO grid_holder (incarnation, kind, name, address, lease_ms, counter, protocol) VALUES ($1, $2, $3, $4, $5, 0, $6)";

    /// <summary>Serialises an app's registrations, which count its rows, across the cluster.</summary>
    public const string TakeTurn = "SELECT pg_advisory_xact_lock(hashtextextended('grid_holder ' || $1, 0))";

    // Services choose these ids, and are not trusted. The former row still counts unless it will leave below.
    public const string RegisterService =
        """
        INSERT INTO grid_holder (incarnation, kind, name, address, lease_ms, counter, protocol, app, secret)
        SELECT $1, $2, $3, $4, $5, 0, $6, $7, $8
        WHERE (SELECT count(*) FROM grid_holder h WHERE h.app = $7 AND (h.incarnation = $9 AND h.secret = $10) IS NOT TRUE) < $11
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Only if the new row of the same app was written: a refused registration removes nothing.</summary>
    public const string LeaveFormer =
        """
        DELETE FROM grid_holder
        WHERE incarnation = $1 AND kind = 2 AND app = $2 AND secret = $3
          AND EXISTS (SELECT 1 FROM grid_holder h WHERE h.incarnation = $4 AND h.app = $2 AND h.secret = $5)
        """;

    public const string Outcome =
        """
        SELECT EXISTS (SELECT 1 FROM grid_holder WHERE incarnation = $1 AND app = $2 AND secret = $3),
               EXISTS (SELECT 1 FROM grid_holder WHERE incarnation = $1)
        """;

    // The head as it is before the registration commits: what commits in between is read once more.
    public const string Begin =
        $"""
        SELECT pg_current_snapshot()::text, {EntryColumns}
        FROM (VALUES (1)) one LEFT JOIN grid_revocation r ON r.kid IS NOT NULL
        """;

    // Own rows only: the id of a silo that the reaper removed may belong to someone else by now.
    public const string Renew =
        """
        UPDATE grid_holder h SET counter = h.counter + 1
        FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS g(incarnation, app, secret)
        WHERE h.incarnation = g.incarnation AND h.app IS NOT DISTINCT FROM g.app AND h.secret IS NOT DISTINCT FROM g.secret
        RETURNING h.incarnation
        """;

    // What this snapshot sees and the last one did not, at any position: positions are assigned before the commit.
    public const string Feed =
        $"""
        SELECT pg_current_snapshot()::text, {EntryColumns}
        FROM (VALUES (1)) one
        LEFT JOIN grid_revocation r ON r.xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(r.xid, $1::pg_snapshot)
        """;

    public const string List = "SELECT incarnation, kind, name, address, lease_ms, counter, protocol, app FROM grid_holder";

    public const string ListServing = $"{List} WHERE app = $1 OR app IS NULL";

    public const string Leave = "DELETE FROM grid_holder WHERE incarnation = $1 AND app IS NULL";

    public const string LeaveService = "DELETE FROM grid_holder WHERE incarnation = $1 AND kind = 2 AND app = $2 AND secret = $3";

    public const string Remove = "DELETE FROM grid_holder WHERE incarnation = $1 AND counter = $2";

    /// <summary>An entry from <see cref="EntryColumns"/>.</summary>
    public static RevocationEntry ToEntry(NpgsqlDataReader row, int first)
    {
        var app = row.GetString(first + 2);
        var tenant = row.IsDBNull(first + 3) ? null : row.GetString(first + 3);
        return new()
        {
            Position = row.GetInt64(first),
            Kind = (RevocationKind)row.GetInt16(first + 1),
            App = app,
            Tenant = tenant,
            Session = NameOrNull(first + 4),
            UserId = row.IsDBNull(first + 5) ? null : row.GetString(first + 5),
            Epoch = row.IsDBNull(first + 6) ? 0 : row.GetInt64(first + 6),
            Kept = NameOrNull(first + 7),
            Kid = row.IsDBNull(first + 8) ? null : row.GetString(first + 8),
            Reason = row.GetInt16(first + 9),
            At = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(first + 10)),
        };

        SessionName? NameOrNull(int column) => row.IsDBNull(column) ? null : new SessionName(app, tenant!, row.GetGuid(column));
    }
}
