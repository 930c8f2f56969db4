using Npgsql;

namespace Grid.Storage.PostgreSql;

/// <summary>The pools of connections that a process opens. Npgsql has one for each text of a connection string, whoever uses it, and one for each data source.</summary>
internal static class PostgreSqlPools
{
    // Below the request budget of 10 s, so that the caller still gets an answer.
    private const int CommandTimeoutSeconds = 8;

    // To connect, or to wait for one of the pool's that is free.
    private const int MaxConnectSeconds = 5;

    private const string Name = "grid";

    /// <summary>A connection string with what bounds its pool.</summary>
    /// <param name="options">With the operator's.</param>
    /// <param name="isPooled">Whether a pooler answers.</param>
    /// <param name="part">Tells the pool apart from the others, also in <c>pg_stat_activity</c>.</param>
    /// <param name="connections">At most.</param>
    public static NpgsqlConnectionStringBuilder Settings(StoreOptions options, bool isPooled, string part, int connections)
    {
        var settings = PostgreSqlRoute.Settings(options.RequiredConnectionString, isPooled);
        settings.ApplicationName = $"{settings.ApplicationName ?? Name} {part}";
        (settings.CommandTimeout, settings.IncludeErrorDetail) = (CommandTimeoutSeconds, false);
        settings.Timeout = settings.Timeout is > 0 and < MaxConnectSeconds ? settings.Timeout : MaxConnectSeconds;
        (settings.Pooling, settings.MinPoolSize, settings.MaxPoolSize) = (true, 0, connections);
        return settings;
    }

    /// <summary>For migrations: each connection is closed after its work, and a statement may take long.</summary>
    public static string Unpooled(StoreOptions options)
    {
        var settings = PostgreSqlRoute.Settings(options.RequiredConnectionString, PostgreSqlRoute.IsPooled(options.RequiredConnectionString));
        (settings.Pooling, settings.MinPoolSize) = (false, 0);
        return settings.ToString();
    }
}
