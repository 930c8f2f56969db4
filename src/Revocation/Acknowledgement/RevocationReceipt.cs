namespace Grid.Revocation.Acknowledgement;

/// <summary>How an acknowledged revocation was confirmed.</summary>
/// <param name="Position">Position of its last entry in the log; 0 if nothing was written.</param>
/// <param name="Elapsed">From the commit to the acknowledgement.</param>
/// <param name="Confirmed">Holders that confirmed that they refuse it.</param>
/// <param name="Waited">Holders that did not confirm, and whose leases have run out since.</param>
/// <param name="Excluded">Holders that were not waited for, as the installation is configured: they refuse it after their next renewal.</param>
public sealed record RevocationReceipt(long Position, TimeSpan Elapsed, int Confirmed, int Waited, int Excluded)
{
    /// <summary>Nothing was revoked, so nothing was confirmed.</summary>
    public static RevocationReceipt None { get; } = new(0, TimeSpan.Zero, 0, 0, 0);
}
