namespace Grid.Storage.Sqlite;

/// <summary>Every statement on what is imported. The PostgreSQL ones explain the conditions.</summary>
internal static class ImportSql
{
    public const string Note = "INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at) VALUES (@p0, @p1, @p2, 1, @p3) ON CONFLICT DO NOTHING";

    public const string Add =
        """
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, recipe_user_id)
        SELECT @p0, @p1, @p2, @p3, e.epoch, 1, @p4, @p5, @p6, @p7, @p8, @p9, @p10, @p11, @p12, @p14
        FROM grid_user_epoch e
        WHERE e.app = @p1 AND e.user_id = @p3 AND e.tenant = @p2 AND e.epoch = 0
          AND NOT EXISTS (SELECT 1 FROM grid_user_epoch f WHERE f.app = @p1 AND f.user_id = '' AND f.tenant IN ('', @p2) AND f.epoch > 0)
          AND NOT EXISTS (SELECT 1 FROM grid_imported_session n WHERE n.handle IN (@p13, @p15) AND n.app = @p1 AND n.tenant = '' AND n.version = 0)
          AND NOT EXISTS (SELECT 1 FROM grid_user_epoch a WHERE a.app = @p1 AND a.user_id = COALESCE(@p14, @p3) AND a.tenant = @p2 AND a.epoch > 0)
          AND NOT EXISTS (SELECT 1 FROM grid_revocation r WHERE r.handle = @p0 AND r.app = @p1 AND r.tenant = @p2)
        ON CONFLICT DO NOTHING
        """;

    public const string Renew =
        """
        UPDATE grid_session
        SET version = version + 1, refresh_current = @p4, refresh_previous = @p5, rotated_at = @p6, payload = @p7, data = @p8,
            use_dynamic_key = @p9, expires_at = @p10, expires_hour = @p11, recipe_user_id = @p12
        WHERE handle = @p0 AND app = @p1 AND tenant = @p2 AND user_id = @p3
          AND version = (SELECT i.version FROM grid_imported_session i WHERE i.handle = @p0 AND i.app = @p1 AND i.tenant = @p2)
          AND (refresh_current IS NOT @p4 OR refresh_previous IS NOT @p5 OR payload IS NOT @p7 OR data IS NOT @p8 OR use_dynamic_key IS NOT @p9 OR expires_at IS NOT @p10
               OR recipe_user_id IS NOT @p12)
        """;

    public const string NoteRenewed = "UPDATE grid_imported_session SET version = version + 1 WHERE handle = @p0 AND app = @p1 AND tenant = @p2";

    public const string KeepNote = "UPDATE grid_imported_session SET expires_at = @p3 WHERE handle = @p0 AND app = @p1 AND tenant = @p2 AND expires_at < @p3";

    public const string Find = "SELECT 1 FROM grid_imported_session WHERE handle = @p0 AND app = @p1 AND tenant = @p2";

    public const string KeepProgress =
        """
        INSERT INTO grid_import (source, app, tenant, handle, complete) VALUES (@p0, @p1, @p2, @p3, @p4)
        ON CONFLICT (source) DO UPDATE SET app = excluded.app, tenant = excluded.tenant, handle = excluded.handle, complete = excluded.complete
        """;

    public const string StageKey =
        "INSERT INTO grid_imported_key (app, kid, kind, signs_from, verifies_until, secret) VALUES (@p0, @p1, @p2, @p3, @p4, @p5) ON CONFLICT DO NOTHING";

    public const string ReadStagedKeys = "SELECT kid, kind, signs_from, verifies_until, secret FROM grid_imported_key WHERE app = @p0 AND secret IS NOT NULL";

    public const string ReadStagedApps = "SELECT DISTINCT app FROM grid_imported_key WHERE secret IS NOT NULL ORDER BY app";

    public const string ReplaceStagedKey = "UPDATE grid_imported_key SET secret = @p2 WHERE app = @p0 AND kid = @p1 AND secret = @p3";

    public const string SettleAllKeys = "UPDATE grid_imported_key SET secret = NULL WHERE app = @p0 AND secret IS NOT NULL";

    public const string SettleKey = "UPDATE grid_imported_key SET secret = NULL WHERE app = @p0 AND kid = @p1 AND secret IS NOT NULL";

    public const string Purge =
        """
        DELETE FROM grid_imported_session WHERE (handle, app, tenant) IN (
            SELECT handle, app, tenant FROM grid_imported_session WHERE expires_at < @p0 ORDER BY expires_at LIMIT @p1)
        """;
}
