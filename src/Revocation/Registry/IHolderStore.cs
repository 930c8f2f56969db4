using Grid.Revocation.Log;

namespace Grid.Revocation.Registry;

/// <summary>A committed registration.</summary>
/// <param name="Cursor">The head of the log: everything that becomes visible later will be read by a renewal. Opaque.</param>
/// <param name="Terms">Of this holder.</param>
/// <param name="RevokedKeys">Signing keys revoked so far; these entries are never purged.</param>
internal sealed record RegisteredHolder(string Cursor, LeaseTerms Terms, IReadOnlyList<(string App, string Kid)> RevokedKeys);

/// <summary>A renewal to be written.</summary>
/// <param name="Incarnation">This process's own row; null: it only renews others.</param>
/// <param name="Cursor">From the last renewal, or the registration.</param>
/// <param name="Others">
/// Holders that renew through this one, each with its proof: after the reaper removed a row, someone else may have registered the
/// same incarnation.
/// </param>
internal sealed record HolderRenewal(Guid? Incarnation, string Cursor, IReadOnlyList<OwnRow> Others)
{
    /// <summary>Everyone renewed by it.</summary>
    public IEnumerable<Guid> Incarnations => Others.Select(own => own.Incarnation).Concat(Incarnation is { } silo ? [silo] : []);
}

/// <summary>A committed renewal.</summary>
/// <param name="Cursor">For the next renewal.</param>
/// <param name="Entries">All that became visible since the cursor, at any position.</param>
/// <param name="Lost">Renewed incarnations whose rows are gone: they are over.</param>
internal sealed record RenewedHolder(string Cursor, IReadOnlyList<RevocationEntry> Entries, IReadOnlyList<Guid> Lost);

/// <summary>Port to the store for one holder (h1, h2). Every method throws if the store does not answer; the outcome is then unknown.</summary>
internal interface IHolderStore
{
    /// <summary>Commits this process's row, then reads the head of the log.</summary>
    Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken);

    /// <summary>In one transaction: adds one to each counter (never inserts a row) and reads the log.</summary>
    Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken);

    /// <summary>Removes this process's row. It must have stopped accepting sessions.</summary>
    Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken);
}

/// <summary>Port to the registry as a whole.</summary>
internal interface IHolderRegistry
{
    /// <summary>Every row, as committed.</summary>
    Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Every row of a holder that may accept sessions of the app, as committed.</summary>
    Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken);

    /// <summary>Removes a row if its counter has not moved (r7).</summary>
    Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken);
}
