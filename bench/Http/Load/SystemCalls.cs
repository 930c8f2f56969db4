using System.Runtime.InteropServices;

namespace Grid.Bench.Http.Load;

/// <summary>The two calls that .NET has no lean equivalent for.</summary>
internal static partial class SystemCalls
{
    public const short Readable = 1;
    public const int Terminate = 15;

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(Span<PollEntry> entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Happened;
    }
}
