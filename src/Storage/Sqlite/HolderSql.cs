using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>Every statement on the registry of holders, and how the log is read.</summary>
internal static class HolderSql
{
    public const string EntryColumns = "position, kind, app, tenant, handle, user_id, epoch, kept, kid, reason, at";

    public const string Register =
        "INSERT INTO grid_holder (incarnation, kind, name, address, lease_ms, counter, protocol) VALUES (@p0, @p1, @p2, @p3, @p4, 0, @p5)";

    public const string RegisterService =
        """
        INSERT INTO grid_holder (incarnation, kind, name, address, lease_ms, counter, protocol, app, secret)
        SELECT @p0, @p1, @p2, @p3, @p4, 0, @p5, @p6, @p7
        WHERE (SELECT count(*) FROM grid_holder h WHERE h.app = @p6 AND (h.incarnation = @p8 AND h.secret = @p9) IS NOT TRUE) < @p10
        ON CONFLICT DO NOTHING
        """;

    public const string IsTaken = "SELECT 1 FROM grid_holder WHERE incarnation = @p0";

    public const string Head = "SELECT coalesce(max(position), 0) FROM grid_revocation";

    // Also of entries that were purged.
    public const string LastPosition = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'grid_revocation'), 0)";

    public const string RevokedKeys = $"SELECT {EntryColumns} FROM grid_revocation WHERE kid IS NOT NULL";

    // Own rows only: the id of a silo that the reaper removed may belong to someone else by now.
    public const string Renew = "UPDATE grid_holder SET counter = counter + 1 WHERE incarnation = @p0 AND app IS @p1 AND secret IS @p2";

    // One writer: positions become visible in order.
    public const string Feed = $"SELECT {EntryColumns} FROM grid_revocation WHERE position > @p0 ORDER BY position";

    public const string List = "SELECT incarnation, kind, name, address, lease_ms, counter, protocol, app FROM grid_holder";

    public const string ListServing = $"{List} WHERE app = @p0 OR app IS NULL";

    public const string Leave = "DELETE FROM grid_holder WHERE incarnation = @p0 AND app IS NULL";

    public const string LeaveService = "DELETE FROM grid_holder WHERE incarnation = @p0 AND kind = 2 AND app = @p1 AND secret = @p2";

    public const string Remove = "DELETE FROM grid_holder WHERE incarnation = @p0 AND counter = @p1";

    public const string ForgetSilos = "DELETE FROM grid_holder WHERE kind = 1";

    /// <summary>Runs a command that answers <see cref="EntryColumns"/>.</summary>
    public static List<RevocationEntry> ReadEntries(SqliteCommand command)
    {
        List<RevocationEntry> entries = [];
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            var app = row.GetString(2);
            var tenant = row.IsDBNull(3) ? null : row.GetString(3);
            entries.Add(new RevocationEntry
            {
                Position = row.GetInt64(0),
                Kind = (RevocationKind)row.GetInt32(1),
                App = app,
                Tenant = tenant,
                Session = NameOrNull(row, 4, app, tenant),
                UserId = row.IsDBNull(5) ? null : row.GetString(5),
                Epoch = row.IsDBNull(6) ? 0 : row.GetInt64(6),
                Kept = NameOrNull(row, 7, app, tenant),
                Kid = row.IsDBNull(8) ? null : row.GetString(8),
                Reason = row.GetInt32(9),
                At = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(10)),
            });
        }

        return entries;
    }

    private static SessionName? NameOrNull(SqliteDataReader row, int column, string app, string? tenant) =>
        row.IsDBNull(column) ? null : new SessionName(app, tenant!, Ids.Id(row, column));
}
