using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.StoreWrites;

/// <summary>Sessions of the usual size: 200 bytes of claims, 60 of data, one of 100,000 users.</summary>
internal static class SampleSessions
{
    private const string Payload =
        """{"st-ev":{"v":true,"t":1795514400000},"st-role":{"v":["admin","billing"],"t":1795514400000},"st-perm":{"v":["read:all","write:own","invite"],"t":1795514400000},"plan":"team","locale":"de-AT"}""";

    private const string Data = """{"device":"Firefox on Linux","ip":"192.0.2.17","n":1}""";

    private static readonly TokenHash First = TokenHash.Of("first");
    private static readonly TokenHash Second = TokenHash.Of("second");
    private static int _users;

    public static SessionRecord New()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        return new SessionRecord
        {
            Key = new SessionKey(AppKey.Public, SessionHandle.Create(TenantKey.PublicId, now)),
            UserId = $"user-{Interlocked.Increment(ref _users) % 100_000:D8}",
            Chain = new RefreshChain(First),
            PayloadJson = Payload,
            DataJson = Data,
            UseDynamicKey = true,
            CreatedAt = now,
            ExpiresAt = now.AddDays(100),
        };
    }

    /// <summary>What a refresh makes of it: tokens rotate, expiry moves on.</summary>
    public static SessionRecord Refreshed(SessionRecord session) => session with
    {
        Version = session.Version + 1,
        Chain = new RefreshChain(session.Version % 2 == 0 ? First : Second, session.Chain.Current, session.CreatedAt),
        ExpiresAt = session.ExpiresAt.AddSeconds(1),
    };
}
