using Grid.Abstractions.Apps;
using Grid.Abstractions.Watches;

namespace Grid.Grains.Watches;

/// <inheritdoc cref="IUserWatch"/>
/// <remarks>Bounded: when its reader is too slow, what comes then is dropped, and the reader finds <see cref="SessionNoticeKind.Missed"/> behind what was kept.</remarks>
internal sealed class UserWatch(WatchedUser user, string? tenantId, string client, int capacity, TimeProvider wall, TimeProvider clock, Action<UserWatch> leave) : IUserWatch
{
    private readonly Lock _lock = new();
    private readonly Queue<SessionNotice> _unread = [];
    private TaskCompletionSource _come = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionNotice? _last;
    private bool _isStarted;
    private bool _missed;
    private bool _isOver;

    public AppKey App => user.App;

    public WatchedUser User => user;

    public string Client => client;

    /// <summary>From here on it is told everything.</summary>
    public void Start()
    {
        lock (_lock)
        {
            _isStarted = true;
            Enqueue(Own(SessionNoticeKind.Started));
        }
    }

    public void Add(SessionNotice notice)
    {
        if (tenantId is not null && notice.Session is { } session && session.TenantId != tenantId)
        {
            return;
        }

        lock (_lock)
        {
            // Before the start nothing was promised, and between a loss and the word of it nothing needs to be told.
            if (!_isStarted || _missed)
            {
                return;
            }

            if (_unread.Count >= capacity)
            {
                _missed = true;
                return;
            }

            Enqueue(notice);
        }
    }

    /// <summary>Something may have happened that it was not told.</summary>
    public void Miss()
    {
        lock (_lock)
        {
            if (!_isStarted || _missed || (_unread.Count > 0 && _last?.Kind == SessionNoticeKind.Missed))
            {
                return;
            }

            if (_unread.Count >= capacity)
            {
                _missed = true;
                return;
            }

            Enqueue(Own(SessionNoticeKind.Missed));
        }
    }

    /// <summary>Nothing more comes.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isOver = true;
            _come.TrySetResult();
        }
    }

    public async ValueTask<IReadOnlyList<SessionNotice>?> ReadAsync(int max, TimeSpan within, CancellationToken cancellationToken)
    {
        var (notices, come, isOver) = Take(max);
        if (notices.Count == 0 && !isOver)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(come, Task.Delay(within, clock, over.Token));
            await over.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            (notices, _, isOver) = Take(max);
        }

        return notices.Count == 0 && isOver ? null : notices;
    }

    public void Dispose() => leave(this);

    private (IReadOnlyList<SessionNotice> Notices, Task Come, bool IsOver) Take(int max)
    {
        lock (_lock)
        {
            List<SessionNotice> notices = [];
            while (notices.Count < max && _unread.TryDequeue(out var notice))
            {
                notices.Add(notice);
            }

            if (_missed && notices.Count < max)
            {
                _missed = false;
                notices.Add(Own(SessionNoticeKind.Missed));
            }

            if (_unread.Count == 0 && !_missed && _come.Task.IsCompleted && !_isOver)
            {
                _come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return (notices, _come.Task, _isOver);
        }
    }

    private void Enqueue(SessionNotice notice)
    {
        _unread.Enqueue(notice);
        _last = notice;
        _come.TrySetResult();
    }

    private SessionNotice Own(SessionNoticeKind kind) => new() { Kind = kind, User = user, At = wall.GetUtcNow() };
}
