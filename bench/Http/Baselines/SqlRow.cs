using System.Security.Cryptography;

namespace Grid.Bench.Http.Baselines;

/// <summary>One session row as Grid writes it, for the statement in a loop.</summary>
internal static class SqlRow
{
    public const string App = "baseline";
    public const string Tenant = "public";
    public const string Payload = """{"plan":"pro","st-role":{"v":["user"],"t":1790000000000}}""";
    public const string Data = """{"cart":[]}""";
    public const long CreatedAt = 1_790_000_000_000;
    public const long ExpiresAt = CreatedAt + 8_640_000_000;
    public const long ExpiresHour = ExpiresAt / 3_600_000;

    public static byte[] NewHash() => RandomNumberGenerator.GetBytes(32);
}
