namespace Grid.Storage;

/// <summary>Expiry in whole hours, rounded up: what the purge goes by (see the column's comment in the schema).</summary>
internal static class ExpiryHour
{
    private const long Milliseconds = 3_600_000;

    public static long After(DateTimeOffset expiresAt) => (expiresAt.ToUnixTimeMilliseconds() + Milliseconds - 1) / Milliseconds;

    public static long Passed(DateTimeOffset now) => now.ToUnixTimeMilliseconds() / Milliseconds;
}
