using System.Data.Common;
using Grid.Storage;
using Npgsql;

namespace Grid.Hosting.Settings;

/// <summary>From settings to the store that they name.</summary>
internal static class StoreReading
{
    private static readonly string[] NoPath = ["file:", "sqlite:", "Data Source=", "DataSource=", "Filename="];

    private static readonly string[] PoolKeywords = ["Pooling", "Maximum Pool Size", "Minimum Pool Size"];

    private static readonly string[] Passwords = ["password", "pwd"];

    /// <param name="settings">As set.</param>
    /// <param name="namedConnection">The configuration's connection string <c>Grid</c>.</param>
    /// <exception cref="SettingsException">They name none.</exception>
    public static StoreOptions Read(StoreSettings settings, string? namedConnection)
    {
        var connection = string.IsNullOrEmpty(settings.ConnectionString) ? namedConnection : settings.ConnectionString;
        if (string.IsNullOrEmpty(connection))
        {
            return new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.GetFullPath(ReadPath(settings.SqlitePath)) };
        }

        connection = ConnectionUri.ToConnectionString(connection);
        try
        {
            connection = Prepared(new NpgsqlConnectionStringBuilder(connection));
        }
        catch (ArgumentException failure)
        {
            // Npgsql's message names the keyword, and no value; other messages may quote what was written, a password perhaps.
            var why = failure.ParamName is { } keyword && failure.Message.StartsWith("Couldn't set", StringComparison.Ordinal) && IsKeyword(keyword, connection)
                ? failure.Message
                : failure.GetType().Name;
            throw new SettingsException($"Grid:Store:ConnectionString is not a valid PostgreSQL connection string ({why}); it looks like Host=db;Username=grid;Password=…;Database=grid.");
        }

        return new StoreOptions
        {
            Engine = StoreEngine.PostgreSql,
            ConnectionString = connection,
            AllowUnsafeDurability = settings.AllowUnsafeDurability,
            MaxConnections = settings.MaxConnections,
        };
    }

    private static string Prepared(NpgsqlConnectionStringBuilder connection)
    {
        // The canonical text has only what was written.
        var written = new DbConnectionStringBuilder { ConnectionString = connection.ToString() };
        if (PoolKeywords.FirstOrDefault(written.ContainsKey) is { } keyword)
        {
            throw new SettingsException(
                $"Grid:Store:ConnectionString: '{keyword}' is not the connection string's to say, since Grid has several pools. Take it out, and set Grid:Store:MaxConnections, which bounds all of them.");
        }

        if (connection.TargetSessionAttributes is { } target && target.ToUpperInvariant() is not ("ANY" or "PRIMARY" or "READ-WRITE"))
        {
            throw new SettingsException($"Grid:Store:ConnectionString: Target Session Attributes is read-write here, since Grid writes; '{target}' would be another server.");
        }

        // With one host Npgsql has no choice to make, and refuses to be told how: Grid refuses a server that takes no writes by itself. Of several it
        // would fill up the first, whichever that is, and go on with the next.
        connection.TargetSessionAttributes = connection.Host?.Contains(',', StringComparison.Ordinal) == true ? "read-write" : null;
        return connection.ToString();
    }

    // A ';' in a password cuts it off, and what follows looks like a keyword, as does a URI of another scheme.
    private static bool IsKeyword(string keyword, string connection) => new NpgsqlConnectionStringBuilder().ContainsKey(keyword)
        || (ConnectionUri.IsName(keyword)
            && connection.LastIndexOf(keyword, StringComparison.OrdinalIgnoreCase) is var place and >= 0
            && !Passwords.Any(name => connection[..place].Contains(name, StringComparison.OrdinalIgnoreCase)));

    // What other programs give a meaning would become a file of that name here.
    private static string ReadPath(string path) => path switch
    {
        [':', ..] => throw new SettingsException($"Grid:Store:SqlitePath '{path}' is no file: Grid keeps sessions on disk. For an installation that may forget, name a file in a temporary folder."),
        ['~', ..] => throw new SettingsException($"Grid:Store:SqlitePath '{path}' begins with '~', which only a shell understands. Write the folder's full path."),
        _ when NoPath.Any(start => path.StartsWith(start, StringComparison.OrdinalIgnoreCase)) =>
            throw new SettingsException("Grid:Store:SqlitePath must be a path such as data/grid.db, neither a URI nor a connection string; for PostgreSQL set Grid:Store:ConnectionString."),
        _ when path.EndsWith('/') || Directory.Exists(path) =>
            throw new SettingsException($"Grid:Store:SqlitePath '{path}' is a folder. Name a file in it, for example {Path.Combine(path, "grid.db")}."),
        _ => path,
    };
}
