using System.Globalization;
using Npgsql;

namespace Grid.Hosting.Settings;

/// <summary>Converts <c>postgresql://user:password@host:port/database?sslmode=…</c> to an Npgsql connection string. Every parameter is either supported or refused by name, never ignored.</summary>
internal static class ConnectionUri
{
    private const string Name = "Grid:Store:ConnectionString (or POSTGRESQL_CONNECTION_URI)";

    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>> Parameters = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = (to, value) => to.SslMode = Mode(value),
        ["ssl"] = (to, value) => to.SslMode = Flag("ssl", value) ? SslMode.Require : SslMode.Disable,
        ["requiressl"] = (to, value) => to.SslMode = Flag("requiressl", value) ? SslMode.Require : SslMode.Prefer,
        ["sslrootcert"] = (to, value) => to.RootCertificate = value,
        ["sslcert"] = (to, value) => to.SslCertificate = value,
        ["sslkey"] = (to, value) => to.SslKey = value,
        ["sslpassword"] = (to, value) => to.SslPassword = value,
        ["sslnegotiation"] = (to, value) => to["SSL Negotiation"] = value,
        ["channel_binding"] = (to, value) => to["Channel Binding"] = value,

        // Grid refuses a read-only server in any case.
        ["target_session_attrs"] = (_, value) => RequireWritable(value),
        ["connect_timeout"] = (to, value) => to.Timeout = Seconds("connect_timeout", value),
        ["application_name"] = (to, value) => to.ApplicationName = value,
        ["fallback_application_name"] = (to, value) => to.ApplicationName ??= value,
        ["client_encoding"] = (to, value) => to.ClientEncoding = value,
        ["options"] = (to, value) => to.Options = value,
        ["currentSchema"] = (to, value) => to.SearchPath = value,
        ["search_path"] = (to, value) => to.SearchPath = value,
        ["schema"] = (to, value) => to.SearchPath = value,
        ["keepalives"] = (to, value) => to.TcpKeepAlive = Flag("keepalives", value),
        ["passfile"] = (to, value) => to.Passfile = value,
        ["host"] = (to, value) => to.Host = value,
        ["port"] = (to, value) => to.Port = Seconds("port", value),
        ["user"] = (to, value) => to.Username = value,
        ["password"] = (to, value) => to.Password = value,
        ["dbname"] = (to, value) => to.Database = value,

        // SuperTokens' own default, which has a meaning for MySQL only.
        ["allowPublicKeyRetrieval"] = (_, _) => { },
    };

    public static string ToConnectionString(string text) => IsUri(text) ? Parse(text).ToString() : text;

    /// <summary>As <see cref="Parse(string)"/>, for what has another name.</summary>
    /// <exception cref="SettingsException">It is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text, string name)
    {
        try
        {
            return Parse(text);
        }
        catch (SettingsException refusal)
        {
            throw new SettingsException(refusal.Message.Replace(Name, name, StringComparison.Ordinal));
        }
    }

    /// <summary>Reads a URI, or Npgsql's own form.</summary>
    /// <exception cref="SettingsException">It is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        if (!IsUri(text))
        {
            try
            {
                return new NpgsqlConnectionStringBuilder(text);
            }
            catch (ArgumentException failure)
            {
                throw new SettingsException($"{Name} is neither a URI nor a connection string of Npgsql ({failure.GetType().Name}); it looks like postgresql://user:password@host:5432/database.");
            }
        }

        var (single, hosts) = WithOneHost(text);
        if (!Uri.TryCreate(single, UriKind.Absolute, out var uri) || (uri.Host.Length == 0 && !uri.Query.Contains("host=", StringComparison.OrdinalIgnoreCase)))
        {
            throw new SettingsException($"{Name} is not a valid URI; it looks like postgresql://user:password@host:5432/database, with '%40' for an '@' in the password and so on, and several hosts as a:5432,b:5432.");
        }

        // An unescaped '/' or '#' in a password ends the authority: the rest, host included, would be read as the database or dropped.
        if (uri.AbsolutePath.Contains('@', StringComparison.Ordinal) || uri.Fragment.Length > 0)
        {
            throw Unescaped();
        }

        var user = uri.UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = Uri.UnescapeDataString(hosts ?? uri.Host),
            Port = hosts is null && uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')) is { Length: > 0 } database ? database : "supertokens",
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null,
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        // An unescaped '&' or '?' in a password makes its rest look like a parameter, which must not be printed.
        var mayBeSecret = uri.Query.Contains('@', StringComparison.Ordinal);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (Uri.UnescapeDataString(n), Uri.UnescapeDataString(v)) : ("", "");
            if (!Parameters.TryGetValue(name, out var set))
            {
                throw mayBeSecret || !IsName(name) ? Unescaped() : new SettingsException(
                    $"{Name} has the parameter '{name}', which Grid does not understand (did you mean {NearestName.Of(name, Parameters.Keys)}?). Take it out, or write Npgsql's form, Host=…;Username=…, with what stands for it there.");
            }

            try
            {
                set(settings, value);
            }
            catch (SettingsException) when (mayBeSecret)
            {
                throw Unescaped();
            }
            catch (Exception failure) when (failure is ArgumentException or FormatException or InvalidCastException)
            {
                throw mayBeSecret ? Unescaped() : new SettingsException($"{Name}: the parameter '{name}' has a value that PostgreSQL's driver does not know.");
            }

            mayBeSecret |= name.EndsWith("password", StringComparison.OrdinalIgnoreCase);
        }

        return settings;
    }

    // .NET knows one host in a URI. Npgsql takes the list as libpq writes it, each host with a port of its own.
    private static (string Text, string? Hosts) WithOneHost(string text)
    {
        var start = text.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = text.AsSpan(start).IndexOfAny('/', '?', '#') is var length and >= 0 ? start + length : text.Length;
        var first = start + text.AsSpan(start, end - start).LastIndexOf('@') + 1;
        var hosts = text[first..end];
        var comma = hosts.IndexOf(',', StringComparison.Ordinal);
        return comma < 0 ? (text, null) : (string.Concat(text.AsSpan(0, first), hosts.AsSpan(0, comma), text.AsSpan(end)), hosts);
    }

    /// <summary>Whether a parameter looks like one, and not like a part of a secret.</summary>
    internal static bool IsName(string name) => name.Length is > 0 and <= 40 && name.All(c => char.IsAsciiLetter(c) || c is '_' or ' ');

    private static SettingsException Unescaped() => new(
        $"{Name} has a part that Grid does not understand, and that may belong to the password: it is not shown. In a user or password write '%3F' for '?', '%26' for '&', '%40' for '@', '%23' for '#', '%2F' for '/'; in parameters '%40' for '@', and the password as the last one.");

    private static bool IsUri(string text) =>
        text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    private static void RequireWritable(string value)
    {
        if (value.ToUpperInvariant() is not ("ANY" or "READ-WRITE" or "PRIMARY"))
        {
            throw new SettingsException($"{Name}: target_session_attrs is read-write here, since Grid writes; '{value}' would be another server.");
        }
    }

    private static SslMode Mode(string value) => value.ToUpperInvariant() switch
    {
        "DISABLE" => SslMode.Disable,
        "ALLOW" => SslMode.Allow,
        "PREFER" => SslMode.Prefer,
        "REQUIRE" => SslMode.Require,
        "VERIFY-CA" => SslMode.VerifyCA,
        "VERIFY-FULL" => SslMode.VerifyFull,
        "NO-VERIFY" => throw new SettingsException(
            $"{Name}: sslmode=no-verify is a word of node-postgres; in PostgreSQL's it is sslmode=require, which encrypts and trusts whoever answers. sslmode=verify-full is safe."),
        _ => throw new SettingsException($"{Name}: sslmode is one of disable, allow, prefer, require, verify-ca, verify-full; '{value}' is none of them."),
    };

    private static bool Flag(string name, string value) => value.ToUpperInvariant() switch
    {
        "TRUE" or "1" or "ON" or "YES" => true,
        "FALSE" or "0" or "OFF" or "NO" => false,
        _ => throw new SettingsException($"{Name}: {name} is true or false; '{value}' is neither."),
    };

    private static int Seconds(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new SettingsException($"{Name}: {name} is a whole number; '{value}' is none.");
}
