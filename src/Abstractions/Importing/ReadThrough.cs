namespace Grid.Abstractions.Importing;

/// <summary>Whether what this installation does not know is looked up in the database of the core that it replaces.</summary>
/// <param name="IsOn">Then a refresh token of that core without a key to open it is one whose answer is unknown, not one that is refused.</param>
public sealed record ReadThrough(bool IsOn);
