namespace Grid.Storage.Sqlite;

/// <summary>Every statement on sessions.</summary>
internal static class SessionSql
{
    public const string Read =
        """
        SELECT user_id, user_epoch, version, refresh_current, refresh_previous, rotated_at, payload, data, use_dynamic_key, created_at, expires_at, recipe_user_id
        FROM grid_session WHERE handle = @p0 AND app = @p1 AND tenant = @p2
        """;

    public const string EnsureEpoch = "INSERT INTO grid_user_epoch (app, user_id, tenant, epoch) VALUES (@p0, @p1, @p2, 0) ON CONFLICT DO NOTHING";

    public const string Insert =
        """
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, recipe_user_id)
        SELECT @p0, @p1, @p2, @p3, e.epoch, 1, @p4, @p5, @p6, @p7, @p8, @p9, @p10, @p11
        FROM grid_user_epoch e
        WHERE e.app = @p1 AND e.user_id = @p3 AND e.tenant = @p2
          AND NOT EXISTS (SELECT 1 FROM grid_revocation r WHERE r.handle = @p0 AND r.app = @p1 AND r.tenant = @p2)
        ON CONFLICT DO NOTHING
        """;

    public const string Update =
        """
        UPDATE grid_session
        SET version = @p3, refresh_current = @p4, refresh_previous = @p5, rotated_at = @p6, payload = @p7, data = @p8,
            use_dynamic_key = @p9, expires_at = @p10, expires_hour = @p11
        WHERE handle = @p0 AND app = @p1 AND tenant = @p2 AND version = @p3 - 1
        """;

    public const string List =
        """
        SELECT handle, tenant FROM grid_session
        WHERE app = @p0 AND user_id = @p1 AND (@p2 IS NULL OR tenant = @p2) AND expires_at > @p3
        ORDER BY created_at, handle
        """;

    public const string ListOfRecipeUser =
        """
        SELECT handle, tenant FROM (
            SELECT handle, tenant, created_at FROM grid_session
            WHERE app = @p0 AND user_id = @p1 AND recipe_user_id IS NULL AND (@p2 IS NULL OR tenant = @p2) AND expires_at > @p3
            UNION ALL
            SELECT handle, tenant, created_at FROM grid_session
            WHERE app = @p0 AND recipe_user_id = @p1 AND (@p2 IS NULL OR tenant = @p2) AND expires_at > @p3)
        ORDER BY created_at, handle
        """;

    public const string DeleteNamed = "DELETE FROM grid_session WHERE handle = @p0 AND app = @p1 AND tenant = @p2 RETURNING expires_at";

    public const string NamedEntry =
        $"SELECT {HolderSql.EntryColumns} FROM grid_revocation WHERE handle = @p0 AND app = @p1 AND tenant = @p2 ORDER BY position DESC LIMIT 1";

    public const string Log =
        $"""
        INSERT INTO grid_revocation (kind, app, tenant, handle, kid, reason, at) VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6)
        RETURNING {HolderSql.EntryColumns}
        """;

    public const string RaiseUserEpoch =
        """
        INSERT INTO grid_user_epoch (app, user_id, tenant, epoch) VALUES (@p0, @p1, @p2, 1)
        ON CONFLICT (app, user_id, tenant) DO UPDATE SET epoch = epoch + 1
        """;

    public const string RaiseUserEpochs = "UPDATE grid_user_epoch SET epoch = epoch + 1 WHERE app = @p0 AND user_id = @p1";

    public const string KeepOne =
        """
        UPDATE grid_session
        SET version = version + 1, user_epoch = (
            SELECT e.epoch FROM grid_user_epoch e
            WHERE e.app = grid_session.app AND e.user_id = grid_session.user_id AND e.tenant = grid_session.tenant)
        WHERE app = @p0 AND user_id = @p1 AND (@p2 IS NULL OR tenant = @p2) AND handle = @p3 AND tenant = @p4
        """;

    public const string DeleteUser =
        """
        DELETE FROM grid_session
        WHERE app = @p0 AND user_id = @p1 AND (@p2 IS NULL OR tenant = @p2) AND user_epoch < (
            SELECT e.epoch FROM grid_user_epoch e
            WHERE e.app = grid_session.app AND e.user_id = grid_session.user_id AND e.tenant = grid_session.tenant)
        RETURNING handle, tenant, expires_at
        """;

    public const string LogUser =
        $"""
        INSERT INTO grid_revocation (kind, app, tenant, user_id, epoch, kept, reason, at)
        SELECT 2, e.app, e.tenant, e.user_id, e.epoch, CASE WHEN e.tenant = @p4 THEN @p3 END, @p5, @p6
        FROM grid_user_epoch e WHERE e.app = @p0 AND e.user_id = @p1 AND (@p2 IS NULL OR e.tenant = @p2)
        RETURNING {HolderSql.EntryColumns}
        """;

    /// <summary>Epochs outlive sessions: a user has one from the first session or ticket on.</summary>
    public const string ListApps = "SELECT DISTINCT app FROM grid_user_epoch ORDER BY app";

    // The PostgreSQL ones explain both.
    public const string FenceUser =
        """
        INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at) VALUES (@p0, @p1, '', 0, @p2)
        ON CONFLICT (handle, app, tenant) DO UPDATE SET version = 0, expires_at = max(expires_at, excluded.expires_at)
        """;

    public const string FenceNamed =
        "INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at) VALUES (@p0, @p1, @p2, 0, @p3) ON CONFLICT DO NOTHING";

    public const string FenceImports =
        """
        INSERT INTO grid_user_epoch (app, user_id, tenant, epoch) VALUES (@p0, '', COALESCE(@p1, ''), 1)
        ON CONFLICT (app, user_id, tenant) DO UPDATE SET epoch = epoch + 1
        """;

    public const string RaiseTenantEpochs = "UPDATE grid_user_epoch SET epoch = epoch + 1 WHERE app = @p0 AND (@p1 IS NULL OR tenant = @p1) AND user_id <> ''";

    public const string DeleteTenant = "DELETE FROM grid_session WHERE app = @p0 AND (@p1 IS NULL OR tenant = @p1)";

    public const string PurgeExpired =
        """
        DELETE FROM grid_session WHERE handle IN (
            SELECT handle FROM grid_session WHERE expires_hour <= @p0 AND expires_at <= @p1 ORDER BY expires_hour LIMIT @p2)
        """;

    public const string PurgeRevocations =
        "DELETE FROM grid_revocation WHERE position IN (SELECT position FROM grid_revocation WHERE at < @p0 AND kind <> 5 ORDER BY at LIMIT @p1)";
}
