using System.Collections;
using Grid.Hosting.Settings;

namespace Grid.Silo.Hosting;

/// <summary>Where settings come from, weakest first: SuperTokens' names, appsettings.json, environment with the files that it names, command line.</summary>
internal static class Configuration
{
    public static IReadOnlyDictionary<string, string?> Environment() => System.Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value, StringComparer.Ordinal);

    /// <summary>What this process was started with.</summary>
    public static IConfigurationRoot Build(string[] overrides) => Build(Environment(), overrides);

    /// <summary>Sentences on variables that were set and have no effect.</summary>
    public static IEnumerable<string> Notes(IConfigurationRoot configuration) => configuration.Providers.OfType<SuperTokensEnvironment>().SelectMany(names => names.Notes);

    /// <exception cref="SettingsException">A source cannot be read.</exception>
    public static IConfigurationRoot Build(IReadOnlyDictionary<string, string?> environment, string[] overrides)
    {
        var builder = new ConfigurationBuilder();
        builder.Add(new SuperTokensEnvironment(environment));
        builder.AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true);
        builder.Add(new SecretFiles(environment));
        builder.AddEnvironmentVariables();
        builder.AddCommandLine(overrides);
        try
        {
            return builder.Build();
        }
        catch (InvalidDataException failure)
        {
            throw new SettingsException($"appsettings.json in the working directory is no JSON: {failure.GetBaseException().Message}");
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new SettingsException($"appsettings.json in the working directory cannot be read: {failure.Message} Let the service's user read it, or start in another folder.");
        }
    }
}
