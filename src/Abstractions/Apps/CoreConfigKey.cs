namespace Grid.Abstractions.Apps;

/// <summary>JSON types of core config values.</summary>
public enum CoreConfigType
{
    Text,
    Number,
    Flag,
}

/// <summary>A key that <c>coreConfig</c> and the environment (in capitals) may hold.</summary>
/// <param name="Name">As in SuperTokens.</param>
/// <param name="Type">Type of its value.</param>
/// <param name="Default">JSON text of the value where nothing is set.</param>
/// <param name="Description">One sentence with unit and range.</param>
/// <param name="IsSessionSetting">False: kept for other recipes or storage plugins, without effect here.</param>
/// <param name="PossibleValues">All values, where there are but a few.</param>
public sealed record CoreConfigKey(
    string Name, CoreConfigType Type, string Default, string Description, bool IsSessionSetting, IReadOnlyList<string>? PossibleValues = null);
