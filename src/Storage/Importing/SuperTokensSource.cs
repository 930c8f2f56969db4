namespace Grid.Storage.Importing;

/// <summary>Where a SuperTokens core keeps its tables.</summary>
/// <param name="ConnectionString">Npgsql connection string.</param>
/// <param name="Schema">Its <c>postgresql_table_schema</c>.</param>
/// <param name="Prefix">Its <c>postgresql_table_names_prefix</c>; empty for none.</param>
/// <param name="Domain">The connection-URI domain whose database it is; empty for those of no domain.</param>
public sealed record SuperTokensSource(string ConnectionString, string Schema = "public", string Prefix = "", string Domain = "")
{
    /// <summary>Names the database without credentials: how far an import is, is kept under this name.</summary>
    public string Name
    {
        get
        {
            var settings = new Npgsql.NpgsqlConnectionStringBuilder(ConnectionString);
            return $"{settings.Host}:{settings.Port}/{settings.Database}/{Schema}{(Prefix.Length > 0 ? $"/{Prefix}" : "")}";
        }
    }

    /// <summary>Without the connection string, which may hold a password.</summary>
    public override string ToString() => Name;

    internal string Table(string name) => $"{Quoted(Schema)}.{Quoted(TableName(name))}";

    internal string TableName(string name) => Prefix.Length > 0 ? $"{Prefix}_{name}" : name;

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>The original's database can't be read, or is not what it should be. The message says what is missing and the repair.</summary>
public sealed class ImportSourceException : Exception
{
    /// <param name="message">For the operator.</param>
    /// <param name="isAway">Whether the database does not answer; otherwise it lacks something.</param>
    /// <param name="inner">The driver's.</param>
    public ImportSourceException(string message, bool isAway, Exception? inner = null)
        : base(message, inner) => IsAway = isAway;

    /// <summary>Whether the database does not answer.</summary>
    public bool IsAway { get; }
}
