using Npgsql;

namespace Grid.Silo.Settings;

/// <summary>Understands the environment variables that SuperTokens operators already have. <c>Grid:*</c> wins over them.</summary>
internal sealed class SuperTokensEnvironment : ConfigurationProvider, IConfigurationSource
{
    private const string FileSuffix = "_FILE";

    private readonly IReadOnlyDictionary<string, string?> _variables;

    public SuperTokensEnvironment(IReadOnlyDictionary<string, string?> variables) => _variables = variables;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load()
    {
        Map("API_KEYS", $"{CoreApiOptions.Section}:{nameof(CoreApiOptions.ApiKeys)}");
        Map("SUPERTOKENS_HOST", $"{CoreApiOptions.Section}:{nameof(CoreApiOptions.Address)}");
        Map("SUPERTOKENS_PORT", $"{CoreApiOptions.Section}:{nameof(CoreApiOptions.Port)}");
        if (Connection() is { } connection)
        {
            Data[$"{StoreSettings.Section}:{nameof(StoreSettings.ConnectionString)}"] = connection;
        }

        // Secrets mounted as files, for our own keys too: Grid__Core__ApiKeys_FILE=/run/secrets/keys
        foreach (var (name, path) in _variables)
        {
            if (name.StartsWith("Grid__", StringComparison.OrdinalIgnoreCase) && name.EndsWith(FileSuffix, StringComparison.Ordinal) && !string.IsNullOrEmpty(path))
            {
                Data[name[..^FileSuffix.Length].Replace("__", ":", StringComparison.Ordinal)] = ReadFile(name, path);
            }
        }
    }

    /// <summary>As <c>config show</c> names the origin.</summary>
    public override string ToString() => "SuperTokens environment variable or _FILE";

    private void Map(string variable, string key)
    {
        if (Get(variable) is { } value)
        {
            Data[key] = value;
        }
    }

    private string? Connection()
    {
        if (Get("POSTGRESQL_CONNECTION_URI") is { } uri)
        {
            return uri;
        }

        if (Get("POSTGRESQL_USER") is not { } user)
        {
            return null;
        }

        return new NpgsqlConnectionStringBuilder
        {
            Host = Get("POSTGRESQL_HOST") ?? "localhost",
            Port = int.TryParse(Get("POSTGRESQL_PORT"), out var port) ? port : 5432,
            Username = user,
            Password = Get("POSTGRESQL_PASSWORD"),
            Database = Get("POSTGRESQL_DATABASE_NAME") ?? "supertokens",
        }.ToString();
    }

    private string? Get(string variable) =>
        _variables.GetValueOrDefault(variable) is { Length: > 0 } value ? value
        : _variables.GetValueOrDefault(variable + FileSuffix) is { Length: > 0 } path ? ReadFile(variable + FileSuffix, path)
        : null;

    private static string ReadFile(string variable, string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{variable} names a file that cannot be read: {failure.Message}");
        }
    }
}
