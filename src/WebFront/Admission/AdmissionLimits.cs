namespace Grid.WebFront.Admission;

/// <summary>How many requests this silo works on at once. Beyond that it refuses what matters least.</summary>
/// <param name="MaxRequests">Requests of all classes but revocations and what waits for the core behind Grid, which have places of their own.</param>
internal sealed record AdmissionLimits(int MaxRequests)
{
    // About a second of writes at what a core gets through: more would only wait longer, until its caller has given up.
    private const int PerCore = 256;

    // The store is shared by all cores, and a burst of a small silo is as large.
    private const int AtLeast = 1024;

    /// <summary>For this machine, or what a container leaves of it.</summary>
    public static AdmissionLimits Default { get; } = new(Math.Max(AtLeast, PerCore * Environment.ProcessorCount));

    /// <summary>Places that only this class takes, however many of the others there are.</summary>
    public int Own(RequestClass kind) => kind switch
    {
        RequestClass.List => Part(16),
        RequestClass.Verify => Part(8),
        RequestClass.Create => Part(8),
        RequestClass.Refresh => Part(4),
        RequestClass.Revoke or RequestClass.Forward or RequestClass.Ask => Mark(kind),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Requests in progress, of this class and all others, up to which it is admitted beyond its own places.</summary>
    public int Mark(RequestClass kind) => kind switch
    {
        RequestClass.List => Part(8),
        RequestClass.Verify => Part(2),
        RequestClass.Create => MaxRequests - Part(4),
        RequestClass.Refresh => MaxRequests,

        // Most of them wait for confirmations, which costs next to nothing and may take a lease.
        RequestClass.Revoke => MaxRequests * 4,

        // Each is a socket, and a core that is so far behind answers none of them the sooner for more.
        RequestClass.Forward or RequestClass.Ask => Part(4),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private int Part(int share) => Math.Max(1, MaxRequests / share);
}
