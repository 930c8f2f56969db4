using System.Globalization;
using System.Security.Cryptography;

namespace Grid.Bench.Scale;

/// <summary>Rows of sessions in the form that the product has written one, in the order in which they were made.</summary>
/// <param name="Sample">A row that the product wrote.</param>
/// <param name="Users">Names; each gets as many sessions as the others, in turn, so that a user's are spread over the table.</param>
/// <param name="PerUser">Sessions of each.</param>
/// <param name="ExpiredFor">Null: they live. Otherwise the time since the last of them expired.</param>
internal sealed record SessionRows(SampleRow Sample, IReadOnlyList<string> Users, int PerUser, TimeSpan? ExpiredFor = null)
{
    // Lives that began within the last month; what expired did so within a day.
    private static readonly TimeSpan Made = TimeSpan.FromDays(30);
    private static readonly TimeSpan Ended = TimeSpan.FromDays(1);

    public int Count => Users.Count * PerUser;

    public IEnumerable<SessionRow> All()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var life = Sample.ExpiresAt - Sample.CreatedAt;
        for (var i = 0; i < Count; i++)
        {
            var share = (i + 1.0) / Count;
            var created = ExpiredFor is { } ago
                ? now - life - (long)(ago + ((1 - share) * Ended)).TotalMilliseconds
                : now - (long)((1 - share) * Made).TotalMilliseconds;
            yield return new SessionRow(
                Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(created)), Users[i % Users.Count], RandomNumberGenerator.GetBytes(Sample.RefreshHashLength), created, created + life);
        }
    }

    public static string[] Names(string prefix, int count) => [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}"))];
}

/// <summary>What differs between sessions.</summary>
internal sealed record SessionRow(Guid Handle, string UserId, byte[] RefreshHash, long CreatedAt, long ExpiresAt)
{
    private const long Hour = 3_600_000;

    public long ExpiresHour => (ExpiresAt + Hour - 1) / Hour;
}

/// <summary>What is the same in all sessions: read from one that the product made.</summary>
internal sealed record SampleRow(string App, string Tenant, string Payload, string Data, int RefreshHashLength, long CreatedAt, long ExpiresAt);
