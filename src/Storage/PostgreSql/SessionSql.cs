namespace Grid.Storage.PostgreSql;

/// <summary>Every statement on sessions. Arrays are parallel; rows are passed sorted by handle, so that groups lock in one order.</summary>
internal static class SessionSql
{
    private const string Columns =
        "s.handle, s.app, s.tenant, s.user_id, s.user_epoch, s.version, s.refresh_current, s.refresh_previous, s.rotated_at, s.payload, s.data, s.use_dynamic_key, s.created_at, s.expires_at, s.recipe_user_id";

    private const string Inserted = "handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour";

    private const string Given =
        "g.handle, g.app, g.tenant, g.user_id, e.epoch, 1, g.refresh_current, g.payload, g.data, g.use_dynamic_key, g.created_at, g.expires_at, g.expires_hour";

    private const string UnderTheEpoch =
        """
        CROSS JOIN LATERAL (
            SELECT u.epoch FROM grid_user_epoch u
            WHERE u.app = g.app AND u.user_id = g.user_id AND u.tenant = g.tenant
            FOR SHARE) e
        WHERE (SELECT r.position FROM grid_revocation r WHERE r.handle = g.handle AND r.app = g.app AND r.tenant = g.tenant LIMIT 1) IS NULL
        ON CONFLICT (handle) DO NOTHING
        RETURNING handle, app, tenant
        """;

    // An entry is purged when it is old: by a silo's clock that is an hour behind it would be when it is written, and whoever had not
    // read it yet never would.
    private const string StoreTime = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    public const string Read =
        $"""
        SELECT {Columns}
        FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(handle, app, tenant)
        JOIN grid_session s ON s.handle = g.handle AND s.app = g.app AND s.tenant = g.tenant
        """;

    public const string EnsureEpochs =
        """
        INSERT INTO grid_user_epoch (app, user_id, tenant, epoch)
        SELECT DISTINCT g.app, g.user_id, g.tenant, 0
        FROM unnest($1::text[], $2::text[], $3::text[]) AS g(app, user_id, tenant)
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
        """;

    // A statement of its own after the one above, so that it sees the rows that others have just committed. Epoch and
    // log are looked up row by row: as joins they were planned while the tables were small, and that prepared plan went on
    // to scan the whole table for every group until statistics came (docs/decisions/0002).
    public const string Insert =
        $"""
        INSERT INTO grid_session ({Inserted})
        SELECT {Given}
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::boolean[], $9::bigint[], $10::bigint[], $11::bigint[])
            AS g(handle, app, tenant, user_id, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour)
        {UnderTheEpoch}
        """;

    // Of groups in which a session of a linked account is. The others' statement stays as small as it was.
    public const string InsertLinked =
        $"""
        INSERT INTO grid_session ({Inserted}, recipe_user_id)
        SELECT {Given}, g.recipe_user_id
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::boolean[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[])
            AS g(handle, app, tenant, user_id, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, recipe_user_id)
        {UnderTheEpoch}
        """;

    public const string Update =
        """
        UPDATE grid_session s
        SET version = g.version, refresh_current = g.refresh_current, refresh_previous = g.refresh_previous, rotated_at = g.rotated_at,
            payload = g.payload, data = g.data, use_dynamic_key = g.use_dynamic_key, expires_at = g.expires_at, expires_hour = g.expires_hour
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bigint[], $8::text[], $9::text[], $10::boolean[], $11::bigint[], $12::bigint[])
            AS g(handle, app, tenant, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, expires_at, expires_hour)
        WHERE s.handle = g.handle AND s.app = g.app AND s.tenant = g.tenant AND s.version = g.version - 1
        RETURNING s.handle, s.app, s.tenant
        """;

    public const string List =
        """
        SELECT handle, tenant FROM grid_session
        WHERE app = $1 AND user_id = $2 AND ($3::text IS NULL OR tenant = $3) AND expires_at > $4
        ORDER BY created_at, handle
        """;

    // Two reads by their own indexes: an OR is planned as one walk through the app's sessions while the tables are small.
    public const string ListOfRecipeUser =
        """
        SELECT handle, tenant FROM (
            SELECT handle, tenant, created_at FROM grid_session
            WHERE app = $1 AND user_id = $2 AND recipe_user_id IS NULL AND ($3::text IS NULL OR tenant = $3) AND expires_at > $4
            UNION ALL
            SELECT handle, tenant, created_at FROM grid_session
            WHERE app = $1 AND recipe_user_id = $2 AND ($3::text IS NULL OR tenant = $3) AND expires_at > $4) s
        ORDER BY created_at, handle
        """;

    /// <summary>Epochs outlive sessions: a user has one from the first session or ticket on.</summary>
    public const string ListApps = "SELECT DISTINCT app FROM grid_user_epoch ORDER BY app";

    // Only what existed is logged: naming someone else's sessions writes nothing.
    public const string DeleteNamed =
        $"""
        WITH gone AS (
            DELETE FROM grid_session s USING unnest($2::uuid[], $3::text[]) AS g(handle, tenant)
            WHERE s.handle = g.handle AND s.app = $1 AND s.tenant = g.tenant
            RETURNING s.handle, s.tenant, s.expires_at),
        logged AS (
            INSERT INTO grid_revocation (kind, app, tenant, handle, reason, at)
            SELECT 1, $1, gone.tenant, gone.handle, $4, GREATEST($5, {StoreTime}) FROM gone)
        SELECT handle, tenant, expires_at FROM gone
        """;

    // A statement of its own after the one above: what that one waited for, another revocation of the same session, it sees as well.
    public const string NamedEntries =
        $"""
        SELECT {HolderSql.EntryColumns}
        FROM unnest($2::uuid[], $3::text[]) AS g(handle, tenant)
        CROSS JOIN LATERAL (
            SELECT * FROM grid_revocation l
            WHERE l.handle = g.handle AND l.app = $1 AND l.tenant = g.tenant
            ORDER BY l.position DESC LIMIT 1) r
        """;

    public const string RaiseUserEpoch =
        """
        INSERT INTO grid_user_epoch AS e (app, user_id, tenant, epoch) VALUES ($1, $2, $3, 1)
        ON CONFLICT (app, user_id, tenant) DO UPDATE SET epoch = e.epoch + 1
        """;

    public const string RaiseUserEpochs = "UPDATE grid_user_epoch SET epoch = epoch + 1 WHERE app = $1 AND user_id = $2";

    public const string KeepOne =
        """
        UPDATE grid_session s SET user_epoch = e.epoch, version = s.version + 1
        FROM grid_user_epoch e
        WHERE s.app = $1 AND s.user_id = $2 AND ($3::text IS NULL OR s.tenant = $3) AND s.handle = $4 AND s.tenant = $5
          AND e.app = s.app AND e.user_id = s.user_id AND e.tenant = s.tenant
        """;

    // Exactly what the log entry says: sessions older than the epoch. The kept one was lifted, one that a create brought in
    // meanwhile under an epoch row of its own is ordered after.
    public const string DeleteUser =
        """
        DELETE FROM grid_session s USING grid_user_epoch e
        WHERE s.app = $1 AND s.user_id = $2 AND ($3::text IS NULL OR s.tenant = $3)
          AND e.app = s.app AND e.user_id = s.user_id AND e.tenant = s.tenant AND s.user_epoch < e.epoch
        RETURNING s.handle, s.tenant, s.expires_at
        """;

    public const string LogUser =
        $"""
        INSERT INTO grid_revocation AS r (kind, app, tenant, user_id, epoch, kept, reason, at)
        SELECT 2, e.app, e.tenant, e.user_id, e.epoch, CASE WHEN e.tenant = $5 THEN $4::uuid END, $6, GREATEST($7, {StoreTime})
        FROM grid_user_epoch e WHERE e.app = $1 AND e.user_id = $2 AND ($3::text IS NULL OR e.tenant = $3)
        RETURNING {HolderSql.EntryColumns}
        """;

    // Before anything else of the same revocation, as an import locks the note before epochs and sessions.
    public const string FenceUser =
        """
        INSERT INTO grid_imported_session AS n (handle, app, tenant, version, expires_at) VALUES ($2, $1, '', 0, $3)
        ON CONFLICT (handle, app, tenant) DO UPDATE SET version = 0, expires_at = GREATEST(n.expires_at, excluded.expires_at)
        """;

    // Before they are deleted: an import that is about to add one is waited for, and what it added is then found.
    public const string FenceNamed =
        """
        INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at)
        SELECT g.handle, $1, g.tenant, 0, $4 FROM unnest($2::uuid[], $3::text[]) AS g(handle, tenant)
        ON CONFLICT DO NOTHING
        """;

    // The row of no user stands for the whole tenant, that of no tenant for the whole app. Imports look at it (ImportSql.Add).
    public const string FenceImports =
        """
        INSERT INTO grid_user_epoch AS e (app, user_id, tenant, epoch) VALUES ($1, '', COALESCE($2, ''), 1)
        ON CONFLICT (app, user_id, tenant) DO UPDATE SET epoch = e.epoch + 1
        """;

    public const string RaiseTenantEpochs = "UPDATE grid_user_epoch SET epoch = epoch + 1 WHERE app = $1 AND ($2::text IS NULL OR tenant = $2) AND user_id <> ''";

    public const string DeleteTenant = "DELETE FROM grid_session WHERE app = $1 AND ($2::text IS NULL OR tenant = $2)";

    public const string LogTenant =
        $"""
        INSERT INTO grid_revocation AS r (kind, app, tenant, reason, at)
        VALUES (CASE WHEN $2::text IS NULL THEN 4 ELSE 3 END, $1, $2, $3, GREATEST($4, {StoreTime}))
        RETURNING {HolderSql.EntryColumns}
        """;

    // Never purged: a holder that registers later reads all of them.
    public const string LogKey =
        $"""
        INSERT INTO grid_revocation AS r (kind, app, kid, reason, at) VALUES (5, $1, $2, $3, $4)
        RETURNING {HolderSql.EntryColumns}
        """;

    public const string PurgeExpired =
        """
        DELETE FROM grid_session WHERE handle IN (
            SELECT handle FROM grid_session WHERE expires_hour <= $1 AND expires_at <= $2
            ORDER BY expires_hour LIMIT $3 FOR UPDATE SKIP LOCKED)
        """;

    public const string PurgeRevocations =
        """
        DELETE FROM grid_revocation WHERE position IN (
            SELECT position FROM grid_revocation WHERE at < $1 AND kind <> 5 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;
}
