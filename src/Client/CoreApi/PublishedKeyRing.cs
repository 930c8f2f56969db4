using System.Diagnostics;
using System.Text.Json;
using Grid.Client.Sessions;
using Grid.Tokens.SigningKeys;

namespace Grid.Client.CoreApi;

/// <summary>Keeps the app's published keys; fetches them again when they are old, or when a token names a key that is not there.</summary>
internal sealed class PublishedKeyRing(CoreApiClient api, Predicate<string> isRevoked, TimeProvider clock) : IDisposable
{
    // A stranger can name unknown keys as often as he likes.
    private static readonly TimeSpan ReloadPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private readonly Lock _changing = new();
    private volatile Fetched? _fetched;
    private volatile Failed? _failed;

    public ValueTask<KeyRing> GetAsync(CancellationToken cancellationToken) =>
        _fetched is { } fetched && clock.GetUtcNow() < fetched.Ring.NextChangeAt ? new ValueTask<KeyRing>(fetched.Ring) : FetchAsync(evenIfFresh: false, cancellationToken);

    public ValueTask<KeyRing> ReloadAsync(CancellationToken cancellationToken) => FetchAsync(evenIfFresh: true, cancellationToken);

    public async ValueTask<PublishedKeys> ReadAsync(CancellationToken cancellationToken)
    {
        var ring = await GetAsync(cancellationToken);
        var left = ring.NextChangeAt - clock.GetUtcNow();
        return new PublishedKeys(_fetched!.Json, left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>A key was revoked: the ring is made anew without it before this returns.</summary>
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

    public void Dispose() => _fetching.Dispose();

    private async ValueTask<KeyRing> FetchAsync(bool evenIfFresh, CancellationToken cancellationToken)
    {
        var askedAt = Stopwatch.GetTimestamp();
        await _fetching.WaitAsync(cancellationToken);
        try
        {
            // Whoever waited while somebody else was refused, or waited in vain, is not to do the same once more, one after the other.
            if (_failed is { } failed && failed.At >= askedAt)
            {
                throw new GridException(failed.Failure.Reason, failed.Failure.Message, failed.Failure);
            }

            var now = clock.GetUtcNow();
            if (_fetched is { } fetched && now - fetched.At < ReloadPause && now >= fetched.At)
            {
                return fetched.Ring;
            }

            if (!evenIfFresh && _fetched is { } fresh && now < fresh.Ring.NextChangeAt)
            {
                return fresh.Ring;
            }

            var (json, cache) = await api.GetKeysAsync(cancellationToken);
            var life = cache?.MaxAge is { } age && age < LongestLife ? age : LongestLife;
            try
            {
                lock (_changing)
                {
                    return (_fetched = new Fetched(KeyRing.FromJwks(json, now + life, _fetched?.Ring, isRevoked), json, now)).Ring;
                }
            }
            catch (JsonException failure)
            {
                throw new GridException(GridFailure.Refused, "The key document is not a JWKS: check the connection URI.", failure);
            }
        }
        catch (GridException failure)
        {
            _failed = new Failed(Stopwatch.GetTimestamp(), failure);
            throw;
        }
        finally
        {
            _fetching.Release();
        }
    }

    private sealed record Failed(long At, GridException Failure);

    private sealed record Fetched(KeyRing Ring, byte[] Json, DateTimeOffset At);
}
