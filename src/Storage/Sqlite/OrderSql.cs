namespace Grid.Storage.Sqlite;

/// <summary>Every statement on permits (<c>grid_ticket</c>).</summary>
internal static class OrderSql
{
    public const string Add =
        """
        INSERT INTO grid_ticket (app, tenant, handle, user_id, user_epoch, expires_at)
        SELECT @p0, @p1, @p2, @p3, e.epoch, @p4
        FROM grid_user_epoch e WHERE e.app = @p0 AND e.user_id = @p3 AND e.tenant = @p1
        """;

    /// <summary>Returns whether the permit was good.</summary>
    public const string Use =
        """
        DELETE FROM grid_ticket WHERE app = @p0 AND tenant = @p1 AND handle = @p2
        RETURNING user_id = @p3 AND expires_at > @p4 AND user_epoch = (
            SELECT e.epoch FROM grid_user_epoch e WHERE e.app = @p0 AND e.user_id = @p3 AND e.tenant = @p1)
        """;

    public const string Delete = "DELETE FROM grid_ticket WHERE app = @p0 AND tenant = @p1 AND handle = @p2";

    /// <summary>Together with a raised epoch: the permit of a session to keep stays as valid, or invalid, as it was.</summary>
    public const string KeepOne =
        "UPDATE grid_ticket SET user_epoch = user_epoch + 1 WHERE app = @p0 AND user_id = @p1 AND (@p2 IS NULL OR tenant = @p2) AND handle = @p3 AND tenant = @p4";

    public const string Purge =
        """
        DELETE FROM grid_ticket WHERE (app, tenant, handle) IN (
            SELECT app, tenant, handle FROM grid_ticket WHERE expires_at <= @p0 ORDER BY expires_at LIMIT @p1)
        """;
}
