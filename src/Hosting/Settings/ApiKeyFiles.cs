using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>The files that the installation's API keys came from, which may be replaced while Grid runs.</summary>
internal sealed class ApiKeyFiles
{
    private readonly IReadOnlyList<SettingPart> _parts;

    private ApiKeyFiles(IReadOnlyList<SettingPart> parts) => _parts = parts;

    /// <summary>For people: the variables with their files.</summary>
    public string Names => string.Join(", ", _parts.Select(part => part.File).OfType<NamedFile>().Select(file => $"{file.Variable} ({file.Path})"));

    /// <summary>As the start read them.</summary>
    public string First => string.Join(',', _parts.Select(part => part.Text));

    /// <summary>Null if no key came from a file.</summary>
    /// <exception cref="SettingsException">
    /// A file was named for the keys, and has none: what was to be locked would be open, or, where others have some, be closed to whoever shows
    /// its keys. It is refused also where something stronger makes it have no effect: nobody means an empty one.
    /// </exception>
    public static ApiKeyFiles? Of(IConfigurationRoot configuration)
    {
        var setting = SettingTable.FindCoreConfig(SettingTable.ApiKeys)!;
        foreach (var file in SettingsBinder.FilesFor(configuration, setting))
        {
            Read(file);
        }

        var parts = SettingsBinder.PartsOf(configuration, setting);
        return parts.Any(part => part.File is not null) ? new ApiKeyFiles(parts) : null;
    }

    /// <summary>The keys as they are written now.</summary>
    /// <exception cref="SettingsException">A file cannot be read, or has no key in it: of several, one that was emptied by mistake would shut out whoever shows its keys.</exception>
    public string Read() => string.Join(',', _parts.Select(part => part.File is { } file ? Read(file) : part.Text));

    private static string Read(NamedFile file) => file.Read() is { } text && text.AsSpan().ContainsAnyExcept(", \t\r\n") ? text : throw NoKeyIn(file);

    private static SettingsException NoKeyIn(NamedFile file) =>
        new($"{file.Variable} names a file without an API key, {file.Path}: write one of at least 20 characters into it, or remove the variable.");
}
