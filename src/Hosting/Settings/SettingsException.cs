namespace Grid.Hosting.Settings;

/// <summary>The service cannot start with these settings. The message names the key and the repair.</summary>
internal sealed class SettingsException(string message) : Exception(message);
