using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Grid.Storage.Sqlite;

/// <summary>What processes share about the write-ahead log in the head of <c>-shm</c> (sqlite.org/walformat.html, 2.3).</summary>
/// <param name="Frames">Pages in the log that count.</param>
/// <param name="Salt">Differs for each turn of the log; the log's own head has the same.</param>
/// <param name="Copied">Frames that have been copied into the database.</param>
/// <param name="Attempted">Frames that a checkpoint set out to copy: more than <paramref name="Copied"/> during the checkpoint, or if it failed.</param>
internal readonly record struct WalIndex(uint Frames, ulong Salt, uint Copied, uint Attempted)
{
    private const int Size = 136;
    private const int HeaderSize = 48;
    private const uint KnownVersion = 3_007_000;
    private const int LogHeadSize = 32;

    /// <summary>Null while it is being written, or if its format is not known.</summary>
    public static WalIndex? Read(SafeFileHandle sharedMemory)
    {
        Span<byte> bytes = stackalloc byte[Size];
        if (RandomAccess.Read(sharedMemory, bytes, 0) < Size
            || !bytes[..HeaderSize].SequenceEqual(bytes[HeaderSize..(2 * HeaderSize)])
            || Number(bytes) != KnownVersion)
        {
            return null;
        }

        return new WalIndex(Number(bytes[16..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[32..]), Number(bytes[96..]), Number(bytes[128..]));
    }

    /// <summary>The salt in the log's own head; null if there is no head.</summary>
    public static ulong? SaltOf(SafeFileHandle log)
    {
        Span<byte> bytes = stackalloc byte[LogHeadSize];
        return RandomAccess.Read(log, bytes, 0) < LogHeadSize ? null : BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
    }

    private static uint Number(ReadOnlySpan<byte> bytes) => BitConverter.ToUInt32(bytes);
}
