namespace Grid.Storage.PostgreSql;

/// <summary>Every statement on what is imported. Arrays are parallel, rows are passed sorted by handle.</summary>
internal static class ImportSql
{
    private const string Given =
        """
        unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[], $8::text[], $9::text[], $10::boolean[], $11::bigint[], $12::bigint[], $13::bigint[], $14::uuid[], $15::text[], $16::uuid[])
            AS g(handle, app, tenant, user_id, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, user_note, recipe_user_id, account_note)
        """;

    // For this transaction. Plans that were made while the notes were few would read all of them for each batch, and for each session that is
    // taken in, until statistics come (as in SessionSql.Insert).
    public const string LookUpByIndex = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";

    public const string EnsureFences =
        """
        INSERT INTO grid_user_epoch (app, user_id, tenant, epoch)
        SELECT DISTINCT g.app, '', f.tenant, 0
        FROM unnest($1::text[], $2::text[]) AS g(app, tenant), LATERAL (VALUES (''), (g.tenant)) AS f(tenant)
        ORDER BY 1, 3
        ON CONFLICT DO NOTHING
        """;

    // Before the epochs of users, as a revocation of a whole tenant locks them: one that began earlier is seen by Add, a later one
    // finds what was added.
    public const string ShareFences =
        """
        SELECT e.app, e.tenant, e.epoch FROM grid_user_epoch e
        WHERE e.user_id = '' AND (e.app, e.tenant) IN (
            SELECT g.app, f.tenant FROM unnest($1::text[], $2::text[]) AS g(app, tenant), LATERAL (VALUES (''), (g.tenant)) AS f(tenant))
        ORDER BY 1, 2
        FOR SHARE
        """;

    // As for tenants: whoever ends all sessions of a user everywhere raises no epoch of a tenant in which there were none yet. The row that
    // is put here holds that revocation up until what this import added can be seen; one that was there is the end of the user's sessions.
    public const string HoldUsers =
        """
        INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at)
        SELECT g.id, g.app, '', 1, 0 FROM unnest($1::uuid[], $2::text[]) AS g(id, app)
        ON CONFLICT DO NOTHING
        """;

    public const string LetUsersGo =
        """
        DELETE FROM grid_imported_session i USING unnest($1::uuid[], $2::text[]) AS g(id, app)
        WHERE i.handle = g.id AND i.app = g.app AND i.tenant = '' AND i.version = 1
        """;

    // A note lasts as long as its session could come, also when the original let it live longer than it had been told here.
    public const string KeepNotes =
        $"""
        UPDATE grid_imported_session i SET expires_at = g.expires_at
        FROM {Given}
        WHERE i.handle = g.handle AND i.app = g.app AND i.tenant = g.tenant AND i.expires_at < g.expires_at
        """;

    // The note first: of two that import one session at once the second waits for it, and then adds nothing. Epoch 0: a user whose
    // sessions were all ended here gets none of an earlier life back, and neither does a tenant or an app. The epoch is share-locked as by any insert.
    public const string Add =
        $"""
        WITH noted AS (
            INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at)
            SELECT g.handle, g.app, g.tenant, 1, g.expires_at FROM {Given}
            ON CONFLICT DO NOTHING
            RETURNING handle, app, tenant),
        added AS (
            INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, recipe_user_id)
            SELECT g.handle, g.app, g.tenant, g.user_id, e.epoch, 1, g.refresh_current, g.refresh_previous, g.rotated_at, g.payload, g.data, g.use_dynamic_key, g.created_at, g.expires_at, g.expires_hour, g.recipe_user_id
            FROM {Given}
            JOIN noted n ON n.handle = g.handle AND n.app = g.app AND n.tenant = g.tenant
            CROSS JOIN LATERAL (
                SELECT u.epoch FROM grid_user_epoch u
                WHERE u.app = g.app AND u.user_id = g.user_id AND u.tenant = g.tenant
                FOR SHARE) e
            CROSS JOIN LATERAL (
                SELECT u.epoch FROM grid_user_epoch u
                WHERE u.app = g.app AND u.user_id = COALESCE(g.recipe_user_id, g.user_id) AND u.tenant = g.tenant
                FOR SHARE) a
            WHERE e.epoch = 0 AND a.epoch = 0
              AND NOT EXISTS (SELECT 1 FROM grid_user_epoch f WHERE f.app = g.app AND f.user_id = '' AND f.tenant IN ('', g.tenant) AND f.epoch > 0)
              AND (SELECT n.version FROM grid_imported_session n WHERE n.handle = g.user_note AND n.app = g.app AND n.tenant = '') = 1
              AND (SELECT n.version FROM grid_imported_session n WHERE n.handle = g.account_note AND n.app = g.app AND n.tenant = '') = 1
              AND (SELECT r.position FROM grid_revocation r WHERE r.handle = g.handle AND r.app = g.app AND r.tenant = g.tenant LIMIT 1) IS NULL
            ON CONFLICT (handle) DO NOTHING
            RETURNING handle)
        SELECT (SELECT count(*) FROM noted)::int, (SELECT count(*) FROM added)::int
        """;

    // Only rows that are exactly as an import left them: what was refreshed or changed here is newer than the original.
    public const string Renew =
        $"""
        WITH renewed AS (
            UPDATE grid_session s
            SET version = s.version + 1, refresh_current = g.refresh_current, refresh_previous = g.refresh_previous, rotated_at = g.rotated_at,
                payload = g.payload, data = g.data, use_dynamic_key = g.use_dynamic_key, expires_at = g.expires_at, expires_hour = g.expires_hour,
                recipe_user_id = g.recipe_user_id
            FROM {Given}, grid_imported_session i
            WHERE s.handle = g.handle AND s.app = g.app AND s.tenant = g.tenant
              AND i.handle = g.handle AND i.app = g.app AND i.tenant = g.tenant AND s.version = i.version AND s.user_id = g.user_id
              AND (s.refresh_current, s.refresh_previous, s.payload, s.data, s.use_dynamic_key, s.expires_at, s.recipe_user_id)
                  IS DISTINCT FROM (g.refresh_current, g.refresh_previous, g.payload, g.data, g.use_dynamic_key, g.expires_at, g.recipe_user_id)
            RETURNING s.handle, s.app, s.tenant, s.version, s.expires_at)
        UPDATE grid_imported_session i SET version = r.version, expires_at = GREATEST(i.expires_at, r.expires_at)
        FROM renewed r WHERE i.handle = r.handle AND i.app = r.app AND i.tenant = r.tenant
        RETURNING i.handle
        """;

    public const string KeepProgress =
        """
        INSERT INTO grid_import (source, app, tenant, handle, complete) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (source) DO UPDATE SET app = excluded.app, tenant = excluded.tenant, handle = excluded.handle, complete = excluded.complete
        """;

    public const string ReadProgress = "SELECT app, tenant, handle, complete FROM grid_import WHERE source = $1";

    public const string FindKnown =
        """
        SELECT i.handle, i.app, i.tenant FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(handle, app, tenant)
        JOIN grid_imported_session i ON i.handle = g.handle AND i.app = g.app AND i.tenant = g.tenant
        """;

    public const string StageKey =
        """
        INSERT INTO grid_imported_key (app, kid, kind, signs_from, verifies_until, secret) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING
        """;

    public const string ReadKeyIds = "SELECT kid FROM grid_imported_key WHERE app = $1";

    public const string ReadStagedKeys = "SELECT kid, kind, signs_from, verifies_until, secret FROM grid_imported_key WHERE app = $1 AND secret IS NOT NULL";

    public const string ReadStagedApps = "SELECT DISTINCT app FROM grid_imported_key WHERE secret IS NOT NULL ORDER BY app";

    public const string ReplaceStagedKey = "UPDATE grid_imported_key SET secret = $3 WHERE app = $1 AND kid = $2 AND secret = $4";

    public const string SettleKeys = "UPDATE grid_imported_key SET secret = NULL WHERE app = $1 AND secret IS NOT NULL AND ($2::text[] IS NULL OR kid = ANY ($2))";

    public const string Purge =
        """
        DELETE FROM grid_imported_session WHERE (handle, app, tenant) IN (
            SELECT handle, app, tenant FROM grid_imported_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;
}
