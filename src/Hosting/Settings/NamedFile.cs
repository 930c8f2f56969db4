namespace Grid.Hosting.Settings;

/// <summary>A file that a variable names, whose content is a setting's value.</summary>
/// <param name="Variable">It ends in <see cref="SecretFiles.Suffix"/>.</param>
/// <param name="Path">As it was written.</param>
internal sealed record NamedFile(string Variable, string Path)
{
    /// <summary>Its content, without blanks around it.</summary>
    /// <exception cref="SettingsException">It cannot be read.</exception>
    public string Read()
    {
        try
        {
            return File.ReadAllText(Path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{Variable} names a file that cannot be read: {failure.Message}");
        }
    }
}
