namespace Grid.Hosting.Settings;

/// <summary>
/// Secrets mounted as files: <c>Grid__Core__ApiKeys_FILE=/run/secrets/keys</c>, also for an item of a list (<c>…__0_FILE</c>). As strong as the environment
/// that names them: only a variable that holds the value itself wins.
/// </summary>
internal sealed class SecretFiles(IReadOnlyDictionary<string, string?> variables) : ConfigurationProvider, IConfigurationSource
{
    /// <summary>What a variable's name ends in that names a file.</summary>
    public const string Suffix = "_FILE";

    private readonly Dictionary<string, NamedFile> _files = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _origins = new(StringComparer.OrdinalIgnoreCase);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load()
    {
        foreach (var (name, path) in variables)
        {
            var key = name.Replace("__", ":", StringComparison.Ordinal);
            if (key.EndsWith(Suffix, StringComparison.Ordinal) && !string.IsNullOrEmpty(path) && IsOurs(key = key[..^Suffix.Length]))
            {
                Data[key] = Read(name, path);
                _origins[key] = name;
                _files[key] = new NamedFile(name, path);
            }
        }
    }

    /// <summary>Whether a key, as the environment has it, names a file that was read.</summary>
    public bool IsRead(string key) => key.EndsWith(Suffix, StringComparison.Ordinal) && Data.ContainsKey(key[..^Suffix.Length]);

    /// <summary>The file that a key's value came from; null if the value is no file's.</summary>
    public NamedFile? FileOf(string key) => _files.GetValueOrDefault(key);

    /// <summary>As <c>config show</c> names the origin: the variable.</summary>
    public string OriginOf(string key) => _origins.GetValueOrDefault(key) ?? _origins.FirstOrDefault(item => item.Key.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase)).Value ?? ToString();

    public override string ToString() => "a file named by a variable _FILE";

    /// <summary>The content of a file that a variable names, without blanks around it.</summary>
    /// <exception cref="SettingsException">It cannot be read.</exception>
    public static string Read(string variable, string path) => new NamedFile(variable, path).Read();

    /// <summary>Whether a key, with or without the suffix, belongs to Grid.</summary>
    public static bool IsOurs(string key) => key.StartsWith("Grid:", StringComparison.OrdinalIgnoreCase) || key.Equals(SettingsBinder.NamedConnection, StringComparison.OrdinalIgnoreCase)
        || key.Equals(SettingsBinder.NamedConnection + Suffix, StringComparison.OrdinalIgnoreCase);
}
