using Grid.Client;

namespace Grid.HostKit;

/// <summary>Reads the events of a watched user, one after the other.</summary>
public sealed class UserEvents : IAsyncDisposable
{
    // For hangs only.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _over;
    private readonly IAsyncEnumerator<SessionEvent> _events;
    private Task<bool>? _next;

    public UserEvents(IAsyncEnumerable<SessionEvent> events, CancellationToken stop)
    {
        _over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _events = events.GetAsyncEnumerator(_over.Token);
    }

    public async Task<SessionEvent> NextAsync()
    {
        _next ??= _events.MoveNextAsync().AsTask();
        var there = await _next.WaitAsync(Patience, _over.Token);
        _next = null;
        return there ? _events.Current : throw new InvalidOperationException("The watch has ended.");
    }

    /// <summary>The next one of which this is true; those before it are left out.</summary>
    public async Task<SessionEvent> NextAsync(Predicate<SessionEvent> isMeant)
    {
        while (true)
        {
            if (await NextAsync() is var next && isMeant(next))
            {
                return next;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await ((Task?)_next ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _events.DisposeAsync();
        _over.Dispose();
    }
}
