namespace Grid.Revocation.Acknowledgement;

/// <summary>What stands behind an acknowledged revocation.</summary>
/// <param name="Position">Place of its last entry in the log; 0 if nothing was written.</param>
/// <param name="Elapsed">From the commit to the acknowledgement.</param>
/// <param name="Confirmed">Holders that said that they refuse it now.</param>
/// <param name="Waited">Holders that did not, and whose leases have run out meanwhile.</param>
/// <param name="Excluded">Holders that nobody waited for, because the installation says so: they refuse it when they have renewed.</param>
public sealed record RevocationReceipt(long Position, TimeSpan Elapsed, int Confirmed, int Waited, int Excluded)
{
    /// <summary>Nothing was revoked, nobody was asked.</summary>
    public static RevocationReceipt None { get; } = new(0, TimeSpan.Zero, 0, 0, 0);
}
