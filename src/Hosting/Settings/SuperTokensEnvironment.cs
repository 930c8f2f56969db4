using System.Globalization;
using System.Text.Json;
using Grid.Abstractions.Settings;
using Npgsql;

namespace Grid.Hosting.Settings;

/// <summary>Understands the environment variables that SuperTokens operators already have. <c>Grid:*</c> wins over them; what has no effect is named in <see cref="Notes"/>.</summary>
internal sealed class SuperTokensEnvironment : ConfigurationProvider, IConfigurationSource
{
    private const string ConnectionString = $"{StoreSettings.Section}:{nameof(StoreSettings.ConnectionString)}";

    // The original's other databases. Their hosts and ports may be links of Kubernetes, these are not.
    private static readonly string[] OtherDatabases = ["MYSQL_CONNECTION_URI", "MYSQL_USER", "MONGODB_CONNECTION_URI"];

    private readonly IReadOnlyDictionary<string, string?> _variables;
    private readonly Dictionary<string, string> _origins = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, NamedFile> _files = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];

    public SuperTokensEnvironment(IReadOnlyDictionary<string, string?> variables) => _variables = variables;

    /// <summary>Sentences for the operator on variables that were set and have no effect.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load()
    {
        _notes.Clear();
        List<string> ofRecipes = [];
        foreach (var setting in SettingTable.All.Where(row => row.Variable is not null && row.Key != ConnectionString))
        {
            if (Find(setting) is not var (variable, value))
            {
                continue;
            }

            switch (setting.Use)
            {
                case SettingUse.Obeyed:
                    Data[setting.Key!] = Translate(setting, variable, value);
                    _origins[setting.Key!] = variable;
                    break;
                case SettingUse.OtherRecipe when setting.CoreConfigKey == "disable_telemetry":
                    // There is none.
                    break;
                case SettingUse.OtherRecipe:
                    ofRecipes.Add(variable);
                    break;
                case SettingUse.OtherServer or SettingUse.OtherDatabase when setting.Instead is { } instead && value != "null":
                    _notes.Add($"{variable} has no effect. {instead}");
                    break;
            }
        }

        if (ofRecipes.Count > 0)
        {
            _notes.Add($"{string.Join(", ", ofRecipes)}: settings of recipes or clients that Grid does not have, without effect.");
        }

        if (OtherDatabases.Where(name => Get(name) is not null).ToList() is { Count: > 0 } others)
        {
            _notes.Add($"{string.Join(", ", others)} has no effect: Grid keeps sessions in PostgreSQL (POSTGRESQL_CONNECTION_URI) or in a file.");
        }

        if (Connection() is { } connection)
        {
            Data[ConnectionString] = connection;
            _origins[ConnectionString] = "POSTGRESQL_…";
        }

        // Our own names, as other programs write theirs.
        foreach (var (name, value) in _variables.Where(variable => variable.Key.StartsWith("Grid_", StringComparison.OrdinalIgnoreCase) && variable.Value is { Length: > 0 }))
        {
            var suffix = name.EndsWith(SecretFiles.Suffix, StringComparison.OrdinalIgnoreCase) ? SecretFiles.Suffix : "";
            if (SettingTable.Find(name[..^suffix.Length].Replace('_', ':')) is { } meant && !IsServiceLink(name, value!))
            {
                _notes.Add($"{name} has no effect: its parts are joined by two underscores, {meant.Key!.Replace(":", "__", StringComparison.Ordinal)}{suffix}.");
            }
        }
    }

    /// <summary>The file that a key's value came from, or would if it were not empty; null if the value is no file's.</summary>
    public NamedFile? FileOf(string key) =>
        (_origins.GetValueOrDefault(key) ?? SettingTable.Find(key)?.Variable) is { } variable ? _files.GetValueOrDefault(variable) : null;

    /// <summary>As <c>config show</c> names the origin.</summary>
    public string OriginOf(string key) => _origins.TryGetValue(key, out var variable) ? $"{this} {variable}" : ToString();

    public override string ToString() => "SuperTokens environment variable";

    private (string Variable, string Value)? Find(Setting setting)
    {
        foreach (var variable in new[] { setting.Variable, setting.OlderCoreConfigKey?.ToUpperInvariant() }.OfType<string>())
        {
            if (Get(variable) is { } value)
            {
                return (variable, value);
            }
        }

        return null;
    }

    // Units are the original's; texts are checked where all texts are.
    private static string Translate(Setting setting, string variable, string value)
    {
        if (setting.Type == SettingType.Text)
        {
            return value;
        }

        return SettingJson.TryRead(setting, variable, JsonSerializer.SerializeToElement(value), out var read, out var error)
            ? SettingText.Write(read)
            : throw new SettingsException($"{error}; it is SuperTokens' name of {setting.Key} ({setting.CoreConfigKey}).");
    }

    // Parts win over the same part of the URI, as in the original: a password that comes from a secret, for example.
    private string? Connection()
    {
        var uri = Get("POSTGRESQL_CONNECTION_URI");
        var (host, port, user) = (Get("POSTGRESQL_HOST"), Port(), Get("POSTGRESQL_USER"));
        var (password, database, schema) = (Get("POSTGRESQL_PASSWORD"), Get("POSTGRESQL_DATABASE_NAME"), Get("POSTGRESQL_TABLE_SCHEMA"));
        var hasParts = host is not null || port is not null || user is not null || password is not null || database is not null || schema is not null;
        if (uri is null && user is null)
        {
            if (hasParts)
            {
                _notes.Add("POSTGRESQL_… variables have no effect without POSTGRESQL_USER or POSTGRESQL_CONNECTION_URI: as in SuperTokens, nothing is kept in PostgreSQL then.");
            }

            return null;
        }

        if (uri is not null && !hasParts)
        {
            return uri;
        }

        var connection = uri is null
            ? new NpgsqlConnectionStringBuilder { Host = "localhost", Port = 5432, Database = "supertokens" }
            : ConnectionUri.Parse(uri);
        connection.Host = host ?? connection.Host;
        connection.Port = port ?? connection.Port;
        connection.Username = user ?? connection.Username;
        connection.Password = password ?? connection.Password;
        connection.Database = database ?? connection.Database;
        connection.SearchPath = schema ?? connection.SearchPath;
        return connection.ToString();
    }

    private int? Port() => Get("POSTGRESQL_PORT") is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port
        : throw new SettingsException($"POSTGRESQL_PORT must be a port, 1 to 65535{(text.Length <= 6 && text.All(c => char.IsAsciiDigit(c) || c == '-') ? $"; '{text}' is none" : "")}.");

    private string? Get(string variable)
    {
        // Empty quotes are empty, too.
        var value = _variables.GetValueOrDefault(variable) is { } set && Unquoted(set) is { Length: > 0 } unquoted ? unquoted
            : _variables.GetValueOrDefault(variable + SecretFiles.Suffix) is { Length: > 0 } path ? (_files[variable] = new NamedFile(variable + SecretFiles.Suffix, path)).Read()
            : null;
        if (value is null || !IsServiceLink(variable, value))
        {
            return value is { Length: > 0 } ? value : null;
        }

        var note = $"{variable}={value} is ignored: Kubernetes makes it for a Service of that name (enableServiceLinks: false keeps it away).";
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }

        return null;
    }

    private static bool IsServiceLink(string variable, string value) => variable.EndsWith("_PORT", StringComparison.Ordinal)
        && (value.StartsWith("tcp://", StringComparison.Ordinal) || value.StartsWith("udp://", StringComparison.Ordinal) || value.StartsWith("sctp://", StringComparison.Ordinal));

    // The original strips quotes too: environment files for containers often have them.
    private static string Unquoted(string value) => value is ['"', .. var inner, '"']
        ? inner.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal)
        : value;
}
