namespace Grid.Abstractions.Sessions;

/// <summary>Whether the database takes writes; whether it answers at all is what <see cref="IStoreHealth"/> asks.</summary>
public interface IStoreCondition
{
    /// <summary>What is wrong, as the last writes found it; null while they succeed. Asks nobody: a holder's renewal is a write each second.</summary>
    StoreTrouble? Trouble { get; }
}

/// <summary>Why the store takes no writes.</summary>
/// <param name="Reason">A sentence for the operator, with the repair. No secret.</param>
/// <param name="Since">When it was first seen.</param>
/// <param name="NeedsRestart">It does not pass by itself: nothing is read or written any more until a new start.</param>
public sealed record StoreTrouble(string Reason, DateTimeOffset Since, bool NeedsRestart);
