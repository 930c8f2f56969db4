using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;

namespace Grid.Abstractions.Importing;

/// <summary>What comes into the store from another service's database: sessions, once each, and keys.</summary>
/// <remarks>
/// Every session that came is noted for as long as it could come again. The note, not the session's row, is what makes an import
/// single-use: the row may be revoked, expired and purged, and must still never come back (docs/decisions/0032).
/// Every method throws <see cref="StoreUnavailableException"/> if the outcome is unknown; repeating it is safe.
/// </remarks>
public interface IImportStore
{
    /// <summary>How far the import from that database came; null if none has begun.</summary>
    Task<ImportProgress?> ReadProgressAsync(string source, CancellationToken cancellationToken);

    /// <summary>Adds sessions that were never here, renews those that nobody has changed here since they came, and keeps how far the import is: one transaction.</summary>
    /// <param name="sessions">With the previous token and its time, if the original keeps them. No handle twice.</param>
    /// <param name="progress">What to keep; null keeps nothing.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    Task<ImportedSessions> AddAsync(IReadOnlyList<SessionRecord> sessions, ImportProgress? progress, CancellationToken cancellationToken);

    /// <summary>Which of these sessions came before, whatever became of them, or were revoked here before they came.</summary>
    Task<IReadOnlySet<SessionKey>> FindKnownAsync(IReadOnlyList<SessionKey> keys, CancellationToken cancellationToken);

    /// <summary>Lays keys ready for the app's grain, sealed. Those that were here before, even if they were revoked since, are left out.</summary>
    /// <returns>How many are new.</returns>
    Task<int> StageKeysAsync(string app, IReadOnlyList<StoredKey> keys, CancellationToken cancellationToken);

    /// <summary>Ids of every key that was ever laid ready for the app.</summary>
    Task<IReadOnlySet<string>> ReadKeyIdsAsync(string app, CancellationToken cancellationToken);

    /// <summary>Keys that wait for the app's grain.</summary>
    Task<ImmutableArray<StoredKey>> ReadStagedKeysAsync(string app, CancellationToken cancellationToken);

    /// <summary>The apps for which keys wait.</summary>
    Task<IReadOnlyList<string>> ReadStagedAppsAsync(CancellationToken cancellationToken);

    /// <summary>Replaces a key that waits by itself, sealed anew.</summary>
    /// <param name="app">Text of the app's key.</param>
    /// <param name="key">With its new box.</param>
    /// <param name="former">The box that it has as long as nobody else changed it.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <returns>False if it has another box by now, or none: the app has taken it in.</returns>
    Task<bool> ReplaceStagedKeyAsync(string app, StoredKey key, byte[] former, CancellationToken cancellationToken);

    /// <summary>Notes that the app's own keys hold them now, or never shall; only their ids stay. Null means all that wait.</summary>
    Task SettleKeysAsync(string app, IReadOnlyList<string>? kids, CancellationToken cancellationToken);

    /// <summary>Deletes up to <paramref name="limit"/> notes of sessions whose originals had expired before.</summary>
    Task<int> PurgeAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken);
}

/// <summary>How far an import is.</summary>
/// <param name="Source">Names the original's database, without credentials.</param>
/// <param name="App">Of the last session in the original's order, as the original spells it.</param>
/// <param name="Tenant">Likewise.</param>
/// <param name="Handle">Likewise.</param>
/// <param name="IsComplete">The last session has come: the next import begins at the first one again.</param>
public sealed record ImportProgress(string Source, string App, string Tenant, string Handle, bool IsComplete);

/// <summary>What became of sessions.</summary>
/// <param name="Added">Are here for the first time.</param>
/// <param name="Renewed">Were here, unchanged, and are now as the original has them.</param>
/// <param name="Refused">Are not here: all sessions of their user, tenant or app ended here before they came.</param>
/// <param name="Unchanged">Came before, or ended here before; they stay as they are, or as ended as they are.</param>
public readonly record struct ImportedSessions(int Added, int Renewed, int Refused, int Unchanged)
{
    /// <summary>Both together.</summary>
    public static ImportedSessions operator +(ImportedSessions left, ImportedSessions right) => new(
        left.Added + right.Added, left.Renewed + right.Renewed, left.Refused + right.Refused, left.Unchanged + right.Unchanged);

    /// <summary>Both together.</summary>
    public static ImportedSessions Add(ImportedSessions left, ImportedSessions right) => left + right;
}
