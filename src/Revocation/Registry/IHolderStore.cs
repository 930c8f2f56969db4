using Grid.Revocation.Log;

namespace Grid.Revocation.Registry;

/// <summary>A committed registration.</summary>
/// <param name="Cursor">The head of the log: everything that becomes visible later will be read by a renewal. Opaque.</param>
/// <param name="Terms">Of this holder.</param>
/// <param name="RevokedKeys">Signing keys revoked so far; these entries are kept for ever.</param>
internal sealed record RegisteredHolder(string Cursor, LeaseTerms Terms, IReadOnlyList<(string App, string Kid)> RevokedKeys);

/// <summary>A renewal to be written.</summary>
/// <param name="Incarnation">This process's own row; null: it only renews others.</param>
/// <param name="Cursor">Where the last one ended.</param>
/// <param name="Others">
/// Holders that renew through this one, each with its proof: a stranger may have registered the incarnation of one that the reaper took
/// for dead, and that row is not its own.
/// </param>
internal sealed record HolderRenewal(Guid? Incarnation, string Cursor, IReadOnlyList<OwnRow> Others)
{
    /// <summary>All that are renewed.</summary>
    public IEnumerable<Guid> Incarnations => Others.Select(own => own.Incarnation).Concat(Incarnation is { } silo ? [silo] : []);
}

/// <summary>A committed renewal.</summary>
/// <param name="Cursor">For the next one.</param>
/// <param name="Entries">All that became visible since the cursor, whatever their positions.</param>
/// <param name="Lost">Those of the renewed that are not registered any more: their incarnations are over.</param>
internal sealed record RenewedHolder(string Cursor, IReadOnlyList<RevocationEntry> Entries, IReadOnlyList<Guid> Lost);

/// <summary>Port to the store for one holder (h1, h2). Every method throws if the store does not answer; what it did is unknown then.</summary>
internal interface IHolderStore
{
    /// <summary>Commits this process's row, then reads the head of the log.</summary>
    Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken);

    /// <summary>In one transaction: adds one to each counter (never inserts a row) and reads the log.</summary>
    Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken);

    /// <summary>This process accepts nothing any more and takes its row with it.</summary>
    Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken);
}

/// <summary>Port to the registry as a whole.</summary>
internal interface IHolderRegistry
{
    /// <summary>Every row, as committed.</summary>
    Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Every row of a holder that may accept sessions of the app, as committed.</summary>
    Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken);

    /// <summary>Removes a row if its counter is still this (r7).</summary>
    Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken);
}
