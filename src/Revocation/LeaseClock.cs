using System.Runtime.InteropServices;

namespace Grid.Revocation;

/// <summary>Monotonic time that goes on while the machine is suspended (h6). Only durations within one process are ever taken from it.</summary>
/// <remarks>
/// .NET's own timestamps read CLOCK_MONOTONIC on Linux, which stands still in a suspended machine: a holder that wakes up would
/// believe its lease. CLOCK_BOOTTIME does not. Elsewhere the comparison with the wall clock in <see cref="Holders.Holder"/> has to do.
/// </remarks>
internal sealed partial class LeaseClock : TimeProvider
{
    private const int BootTime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly bool _hasBootTime = OperatingSystem.IsLinux() && Read(BootTime, out _) == 0;

    /// <summary>The only one: it has no state.</summary>
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
