using Grid.Abstractions;

namespace Grid.Storage;

/// <summary>
/// Tells silos that have ended from silos that are only silent. Each silo holds a session with the database server for as long as it lives;
/// when a process ends, however it ends, its system closes the connection and the server ends the session at once.
/// </summary>
/// <remarks>
/// A session that is over proves nothing by itself: a silo that lives loses it, too, when the server restarts or the network breaks, and
/// begins another. Whoever acts on it asks the silo as well.
/// </remarks>
public interface ISiloPresence
{
    /// <summary>By which the others find this silo's session; null before <see cref="BeginAsync"/>, and where none can be held (behind a pooler): then only silence tells.</summary>
    string? Mark { get; }

    /// <summary>
    /// Completes, if ever, with why this silo must not go on: while its session was broken, so that no migrator saw it, the database was migrated to a
    /// schema that is not for its version.
    /// </summary>
    Task<StoreStartException> Overtaken { get; }

    /// <summary>Begins the session; before the others can hear of this silo.</summary>
    /// <exception cref="StoreStartException">The store does not answer.</exception>
    Task BeginAsync(CancellationToken cancellationToken);

    /// <summary>Those of other silos' marks whose sessions are over, or between two.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<IReadOnlySet<string>> FindOverAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken);
}
