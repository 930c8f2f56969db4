namespace Grid.Revocation;

/// <summary>How long a holder may vouch for sessions without hearing from the store, and what follows from it.</summary>
/// <param name="Lease">L, counted from the sending of a renewal; 2 s … 60 s. Shorter: a vanished holder delays revocations less. Longer: longer outages of the store are survived.</param>
internal sealed record LeaseTerms(TimeSpan Lease)
{
    /// <summary>Shortest lease.</summary>
    public static TimeSpan Shortest { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest lease.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromSeconds(60);

    /// <summary>L = 10 s.</summary>
    public static LeaseTerms Standard { get; } = new(TimeSpan.FromSeconds(10));

    /// <summary>Time between two renewals.</summary>
    public TimeSpan RenewEvery => Lease / 4 < TimeSpan.FromSeconds(1) ? Lease / 4 : TimeSpan.FromSeconds(1);

    /// <summary>
    /// W: after this long, by any machine's clock, no holder accepts what a revocation ended. 1.25 covers one clock that the kernel slews by
    /// +100,000 ppm and another by −100,000 (1.1 / 0.9 = 1.22); the rest covers a tick on either side.
    /// </summary>
    public TimeSpan Wait => (1.25 * Lease) + TimeSpan.FromMilliseconds(250);
}
