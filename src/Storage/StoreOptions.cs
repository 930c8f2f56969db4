using Grid.Storage.PostgreSql;

namespace Grid.Storage;

/// <summary>Database engines.</summary>
public enum StoreEngine
{
    /// <summary>One process over an embedded file.</summary>
    Sqlite = 0,

    /// <summary>A cluster of silos over a PostgreSQL server, version 15 or later.</summary>
    PostgreSql = 1,
}

/// <summary>Where sessions are kept.</summary>
public sealed record StoreOptions
{
    public required StoreEngine Engine { get; init; }

    /// <summary>File of the embedded engine; its folder is created if missing.</summary>
    public string? SqlitePath { get; init; }

    /// <summary>Npgsql connection string.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Start even if the server may lose acknowledged writes. For tests and throw-away installations.</summary>
    public bool AllowUnsafeDurability { get; init; }

    /// <summary>Connections that a silo has to PostgreSQL at most, Orleans' own included. From 8; default 30.</summary>
    public int MaxConnections { get; init; } = 30;

    /// <summary>Name by which Orleans' ADO.NET providers know the engine; the SQLite one also stands for Microsoft.Data.Sqlite.</summary>
    public string ProviderName => Engine == StoreEngine.PostgreSql ? "Npgsql" : "System.Data.SQLite";

    /// <summary>Connection string for grain state and reminders by such a provider. Over PostgreSQL the server is asked once whether a pooler stands before it.</summary>
    public string ProviderConnectionString => Engine == StoreEngine.PostgreSql
        ? PostgreSqlPools.Settings(this, PostgreSqlRoute.IsPooled(RequiredConnectionString), "grains", Shares.Grains).ToString()
        : Sqlite.SqliteFile.ConnectionString(RequiredSqlitePath);

    /// <summary>As <see cref="ProviderConnectionString"/>, for the membership of a cluster over PostgreSQL.</summary>
    public string MembershipConnectionString =>
        PostgreSqlPools.Settings(this, PostgreSqlRoute.IsPooled(RequiredConnectionString), "membership", Shares.Membership).ToString();

    /// <summary>How <see cref="MaxConnections"/> are shared out, for people.</summary>
    public string Sharing => Shares.ToString();

    internal ConnectionShares Shares => ConnectionShares.Of(MaxConnections);

    internal string RequiredSqlitePath => SqlitePath ?? throw new InvalidOperationException("The embedded store needs a file path.");

    internal string RequiredConnectionString => ConnectionString ?? throw new InvalidOperationException("The PostgreSQL store needs a connection string.");

    /// <summary>Without the connection string, which may hold a password.</summary>
    public override string ToString() => Engine.ToString();
}
