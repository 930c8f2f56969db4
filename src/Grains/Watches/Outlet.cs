using System.Collections.Immutable;
using System.Threading.Channels;
using Grid.Abstractions.Watches;

namespace Grid.Grains.Watches;

/// <summary>The source's end of a link: what a reader has not fetched yet, up to a limit.</summary>
internal sealed class Outlet(string id, int capacity, TimeProvider clock)
{
    // Notices in one answer.
    private const int MaxAtOnce = 1_024;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Channel<SessionNotice> _waiting = Channel.CreateBounded<SessionNotice>(new BoundedChannelOptions(capacity) { SingleReader = true });
    private int _areLost;
    private long _fetched;
    private long _heardAt = clock.GetTimestamp();

    public string Id => id;

    /// <summary>Whom the reader watches. Changed under the lock of <see cref="Notices"/>.</summary>
    public HashSet<WatchedUser> Users { get; } = [];

    /// <summary>How long the reader has been silent.</summary>
    public TimeSpan Silence => clock.GetElapsedTime(Interlocked.Read(ref _heardAt));

    public void Add(SessionNotice notice)
    {
        if (!_waiting.Writer.TryWrite(notice))
        {
            Volatile.Write(ref _areLost, 1);
        }
    }

    /// <summary>Nothing more comes.</summary>
    public void Close() => _waiting.Writer.TryComplete();

    /// <inheritdoc cref="INoticeSource.FetchAsync"/>
    public async Task<FetchedNotices?> FetchAsync(long number)
    {
        Interlocked.Exchange(ref _heardAt, clock.GetTimestamp());
        if (Interlocked.Increment(ref _fetched) != number)
        {
            return null;
        }

        try
        {
            using var limit = new CancellationTokenSource(LongestWait, clock);
            if (!await _waiting.Reader.WaitToReadAsync(limit.Token))
            {
                return null;
            }
        }
        catch (OperationCanceledException)
        {
            // Nothing came.
        }

        var notices = ImmutableArray.CreateBuilder<SessionNotice>();
        while (notices.Count < MaxAtOnce && _waiting.Reader.TryRead(out var notice))
        {
            notices.Add(notice);
        }

        Interlocked.Exchange(ref _heardAt, clock.GetTimestamp());

        // Read last: what was dropped was dropped before this answer, and the reader says so after these.
        return new FetchedNotices(notices.ToImmutable(), Interlocked.Exchange(ref _areLost, 0) != 0);
    }
}
