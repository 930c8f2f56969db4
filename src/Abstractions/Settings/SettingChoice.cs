namespace Grid.Abstractions.Settings;

/// <summary>A value that can be chosen.</summary>
/// <param name="Name">In Grid's own settings; the name of the enum's member.</param>
/// <param name="WireName">In core config and in SuperTokens' environment.</param>
public sealed record SettingChoice(string Name, string WireName)
{
    /// <summary>Whether a text names this choice: by either name, ignoring case.</summary>
    public bool Is(string text) => Name.Equals(text, StringComparison.OrdinalIgnoreCase) || WireName.Equals(text, StringComparison.OrdinalIgnoreCase);
}
