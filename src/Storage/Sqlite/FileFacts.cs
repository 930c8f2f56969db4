using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Grid.Storage.Sqlite;

/// <summary>What the file system knows about a path, without opening the file.</summary>
/// <param name="Id">Device and inode: two names with one id are one file, one name with another id is another file.</param>
/// <param name="Names">Hard links.</param>
/// <param name="IsMounted">The file itself is a mount point, not only its folder.</param>
/// <param name="Modified">When its content was last written, in nanoseconds.</param>
internal readonly partial record struct FileFacts((uint Major, uint Minor, ulong Inode) Id, uint Names, bool IsMounted, long Modified)
{
    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const ulong MountRoot = 0x2000;

    /// <summary>Null if there is no such file, or it is not accessible.</summary>
    [SupportedOSPlatform("linux")]
    public static FileFacts? Of(string path) => Statx(CurrentDirectory, path, 0, BasicStats, out var facts) != 0
        ? null
        : new FileFacts(
            (facts.DeviceMajor, facts.DeviceMinor, facts.Inode), facts.Links, (facts.Attributes & MountRoot) != 0,
            (facts.ModifiedSeconds * 1_000_000_000) + facts.ModifiedNanoseconds);

    // stat's structure differs from one architecture to the next, statx's does not.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxFacts facts);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxFacts
    {
        [FieldOffset(8)]
        public ulong Attributes;

        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
