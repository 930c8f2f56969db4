using System.Text.Json;
using Grid.Tokens.SigningKeys;

namespace Grid.Client.Live;

/// <summary>
/// Caches the app's published keys; fetches them again when they are stale, or when a token names a key that is not among them.
/// </summary>
/// <remarks>
/// Not the silo's <c>FreshCopies</c>, because it fails closed. A silo keeps using keys that it cannot read again: its holder learns of
/// revoked ones from the store. A service that cannot fetch may not hear of them either, so it does not use keys beyond their time.
/// </remarks>
internal sealed class PublishedKeyRing(Func<CancellationToken, Task<(byte[] Json, TimeSpan? MaxAge)>> fetch, Predicate<string> isRevoked, TimeProvider clock)
{
    // Anyone can send tokens with unknown key ids, so reloads are rate-limited.
    private static readonly TimeSpan ReloadPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);

    private readonly Lock _changing = new();
    private volatile Fetched? _fetched;
    private Task<KeyRing>? _fetching;

    public ValueTask<KeyRing> GetAsync(CancellationToken cancellationToken) =>
        _fetched is { } fetched && clock.GetUtcNow() < fetched.Ring.NextChangeAt ? new ValueTask<KeyRing>(fetched.Ring) : FetchAsync(evenIfFresh: false, cancellationToken);

    public ValueTask<KeyRing> ReloadAsync(CancellationToken cancellationToken) => FetchAsync(evenIfFresh: true, cancellationToken);

    public async ValueTask<PublishedKeys> ReadAsync(CancellationToken cancellationToken)
    {
        var ring = await GetAsync(cancellationToken);
        var left = ring.NextChangeAt - clock.GetUtcNow();
        return new PublishedKeys(_fetched!.Json, left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>A key was revoked: rebuilds the ring without it before returning.</summary>
    public void LeaveOutRevoked()
    {
        lock (_changing)
        {
            if (_fetched is { } fetched)
            {
                _fetched = fetched with { Ring = KeyRing.FromJwks(fetched.Json, fetched.Ring.NextChangeAt, fetched.Ring, isRevoked) };
            }
        }
    }

    // One fetch shared by all callers: one that gives up must not cancel it for the others, nor each start another.
    private ValueTask<KeyRing> FetchAsync(bool evenIfFresh, CancellationToken cancellationToken)
    {
        lock (_changing)
        {
            var now = clock.GetUtcNow();
            if (_fetched is { } fetched && ((now - fetched.At < ReloadPause && now >= fetched.At) || (!evenIfFresh && now < fetched.Ring.NextChangeAt)))
            {
                return new ValueTask<KeyRing>(fetched.Ring);
            }

            _fetching ??= Task.Run(FetchOnceAsync, CancellationToken.None);
            return new ValueTask<KeyRing>(_fetching.WaitAsync(cancellationToken));
        }
    }

    private async Task<KeyRing> FetchOnceAsync()
    {
        try
        {
            var (json, maxAge) = await fetch(CancellationToken.None);
            var now = clock.GetUtcNow();
            var life = maxAge is { } age && age < LongestLife ? age : LongestLife;
            lock (_changing)
            {
                return (_fetched = new Fetched(KeyRing.FromJwks(json, now + life, _fetched?.Ring, isRevoked), json, now)).Ring;
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new GridException(GridFailure.Refused, "The key document is not a JWKS: check where this client is connected to.", failure);
        }
        finally
        {
            lock (_changing)
            {
                _fetching = null;
            }
        }
    }

    private sealed record Fetched(KeyRing Ring, byte[] Json, DateTimeOffset At);
}
