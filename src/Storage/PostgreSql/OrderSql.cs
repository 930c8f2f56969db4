namespace Grid.Storage.PostgreSql;

/// <summary>Every statement on permits (<c>grid_ticket</c>). Lock order: permit, epoch, session.</summary>
internal static class OrderSql
{
    public const string EnsureEpoch = "INSERT INTO grid_user_epoch (app, user_id, tenant, epoch) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING";

    // A statement of its own after the one above, so that it sees a row that another transaction has just committed. The share lock
    // orders it before a revocation that is under way, or after it.
    public const string Add =
        """
        INSERT INTO grid_ticket (app, tenant, handle, user_id, user_epoch, expires_at)
        SELECT $1, $3, $4, $2, e.epoch, $5
        FROM (SELECT u.epoch FROM grid_user_epoch u WHERE u.app = $1 AND u.user_id = $2 AND u.tenant = $3 FOR SHARE) e
        """;

    // The permit goes whether or not it is still good. Two that come at once meet at its row: the second finds none.
    public const string Insert =
        """
        WITH permit AS (
            DELETE FROM grid_ticket t WHERE t.app = $2 AND t.tenant = $3 AND t.handle = $1
            RETURNING t.user_id, t.user_epoch, t.expires_at)
        INSERT INTO grid_session (handle, app, tenant, user_id, user_epoch, version, refresh_current, payload, data, use_dynamic_key, created_at, expires_at, expires_hour, recipe_user_id)
        SELECT $1, $2, $3, $4, e.epoch, 1, $5, $6, $7, $8, $9, $10, $11, $13
        FROM permit p
        CROSS JOIN LATERAL (
            SELECT u.epoch FROM grid_user_epoch u
            WHERE u.app = $2 AND u.user_id = $4 AND u.tenant = $3
            FOR SHARE) e
        WHERE p.user_id = $4 AND p.user_epoch = e.epoch AND p.expires_at > $12
          AND NOT EXISTS (SELECT 1 FROM grid_revocation r WHERE r.handle = $1 AND r.app = $2 AND r.tenant = $3)
        ON CONFLICT DO NOTHING
        RETURNING handle
        """;

    /// <summary>Before the sessions of the same names are deleted: a redemption under way is then either waited for and seen, or finds no permit.</summary>
    public const string DeleteNamed =
        """
        DELETE FROM grid_ticket t USING unnest($2::uuid[], $3::text[]) AS g(handle, tenant)
        WHERE t.app = $1 AND t.tenant = g.tenant AND t.handle = g.handle
        """;

    /// <summary>Before the user's epoch is raised: the permit of a session to keep stays as valid, or invalid, as it was.</summary>
    public const string KeepOne =
        """
        UPDATE grid_ticket SET user_epoch = user_epoch + 1
        WHERE app = $1 AND user_id = $2 AND ($3::text IS NULL OR tenant = $3) AND handle = $4 AND tenant = $5
        """;

    public const string Purge =
        """
        DELETE FROM grid_ticket WHERE (app, tenant, handle) IN (
            SELECT app, tenant, handle FROM grid_ticket WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;
}
