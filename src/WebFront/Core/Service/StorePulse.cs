using Grid.Abstractions;
using Grid.Abstractions.Sessions;

namespace Grid.WebFront.Core.Service;

/// <summary>Whether the store answers. It is asked at most once a second, however many probes arrive: they need no API key.</summary>
public sealed class StorePulse(IStoreHealth store, TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<bool>? _asked;
    private long _askedAt;

    /// <summary>True if it answered within the last second, or answers now.</summary>
    public Task<bool> AnswersAsync()
    {
        lock (_lock)
        {
            if (_asked is null || (_asked.IsCompleted && clock.GetElapsedTime(_askedAt) >= Remembered))
            {
                (_asked, _askedAt) = (AskAsync(), clock.GetTimestamp());
            }

            return _asked;
        }
    }

    private async Task<bool> AskAsync()
    {
        try
        {
            // Shared by all callers: a caller that gives up does not cancel it.
            await store.PingAsync(CancellationToken.None);
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}
