using Grid.Abstractions.Sessions;

namespace Grid.Abstractions.Importing;

/// <summary>Whether what this installation does not know is looked up in the database of the core that it replaces.</summary>
/// <param name="IsOn">Then a refresh token of that core without a key to open it is one whose answer is unknown, not one that is refused.</param>
public sealed record ReadThrough(bool IsOn)
{
    /// <summary>Reads a session there once more, and keeps what it is now if nobody has changed it here since it came.</summary>
    /// <remarks>Throws <see cref="StoreUnavailableException"/> if that database does not answer.</remarks>
    public Func<SessionKey, Task> RenewAsync { get; init; } = _ => Task.CompletedTask;
}
