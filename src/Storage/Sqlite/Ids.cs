using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>How ids are stored. Big-endian: version 7 ids sort by time, and an index over them grows at its end.</summary>
internal static class Ids
{
    public static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    public static Guid Id(SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);
}
