using System.Runtime.InteropServices;

namespace Grid.Revocation;

/// <summary>Monotonic time that includes suspension of the machine (h6). Used only for durations within one process.</summary>
/// <remarks>
/// .NET's own timestamps read CLOCK_MONOTONIC on Linux, which stops while the machine is suspended: a holder that wakes up
/// would trust an expired lease. CLOCK_BOOTTIME does not. On other systems <see cref="Holders.Freshness"/> relies on comparing it with the wall clock.
/// </remarks>
internal sealed partial class LeaseClock : TimeProvider
{
    private const int BootTime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly bool _hasBootTime = OperatingSystem.IsLinux() && Read(BootTime, out _) == 0;

    /// <summary>The only instance; it has no state.</summary>
    public static LeaseClock Instance { get; } = new();

    /// <inheritdoc/>
    public override long TimestampFrequency => _hasBootTime ? NanosecondsPerSecond : base.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        if (!_hasBootTime)
        {
            return base.GetTimestamp();
        }

        _ = Read(BootTime, out var time);
        return (time.Seconds * NanosecondsPerSecond) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int Read(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
