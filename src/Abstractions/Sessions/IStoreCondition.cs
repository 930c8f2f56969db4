namespace Grid.Abstractions.Sessions;

/// <summary>Whether the database accepts writes; <see cref="IStoreHealth"/> asks whether it answers at all.</summary>
public interface IStoreCondition
{
    /// <summary>What is wrong, as the last writes found it; null while they succeed. Makes no call: a holder's renewal is a write each second.</summary>
    StoreTrouble? Trouble { get; }
}

/// <summary>Why the store accepts no writes.</summary>
/// <param name="Reason">A sentence for the operator, with the repair. No secret.</param>
/// <param name="Since">Time of the first failure.</param>
/// <param name="NeedsRestart">It does not pass by itself: nothing is read or written until the process is restarted.</param>
public sealed record StoreTrouble(string Reason, DateTimeOffset Since, bool NeedsRestart);
