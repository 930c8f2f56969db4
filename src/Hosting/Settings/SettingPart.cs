namespace Grid.Hosting.Settings;

/// <summary>A setting's text, or an item of it.</summary>
/// <param name="Text">As the start read it.</param>
/// <param name="File">Where it is read again; null: it was written itself, and stays.</param>
internal sealed record SettingPart(string Text, NamedFile? File);
