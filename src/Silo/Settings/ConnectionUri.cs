using Npgsql;

namespace Grid.Silo.Settings;

/// <summary>Turns <c>postgresql://user:password@host:port/database?sslmode=…</c> into what Npgsql reads.</summary>
internal static class ConnectionUri
{
    public static string ToConnectionString(string text)
    {
        if (!text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) && !text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            throw new SettingsException("Grid:Store:ConnectionString (or POSTGRESQL_CONNECTION_URI) is not a valid URI; it looks like postgresql://user:password@host:5432/database.");
        }

        var user = uri.UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = Uri.UnescapeDataString(uri.Host),
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')) is { Length: > 0 } database ? database : "supertokens",
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null,
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, Uri.UnescapeDataString(v)) : (pair, "");

            // Other drivers' options mean nothing here; TLS does.
            if (name.Equals("sslmode", StringComparison.OrdinalIgnoreCase))
            {
                settings["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal);
            }
            else if (name.Equals("sslrootcert", StringComparison.OrdinalIgnoreCase))
            {
                settings.RootCertificate = value;
            }
        }

        return settings.ToString();
    }
}
