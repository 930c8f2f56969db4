namespace Grid.Revocation.Outages;

/// <summary>An outage so far.</summary>
/// <param name="Count">Failures since the last report.</param>
/// <param name="Kinds">The kinds of failure, with the count of each.</param>
/// <param name="Lasted">From the first failure to the last.</param>
internal sealed record OutageCount(long Count, string Kinds, TimeSpan Lasted);

/// <summary>
/// Reduces an outage that thousands of callers meet at once to a few lines of log: the first failure of each kind, a count every few
/// seconds, and the end. Otherwise the log would be the next thing to break.
/// </summary>
/// <param name="clock">Measures the pauses.</param>
/// <param name="began">Reports the first failure of a kind, with its cause.</param>
/// <param name="goesOn">Reports a count.</param>
/// <param name="over">Reports the end: no failure for <see cref="Pause"/>.</param>
internal sealed class OutageTally(TimeProvider clock, Action<string, Exception?> began, Action<OutageCount> goesOn, Action<OutageCount> over) : IDisposable
{
    /// <summary>Between two reports on one outage.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // Kinds are constants in the code; the limit guards against a mistake.
    private const int MaxKinds = 32;
    private const string OtherKinds = "other";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private bool _goesOn;
    private bool _disposed;
    private long _all;
    private long _news;
    private long _first;
    private long _last;

    /// <summary>Counts a failure. Thread-safe.</summary>
    public void Met(string kind, Exception? failure)
    {
        ArgumentNullException.ThrowIfNull(kind);
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _last = clock.GetTimestamp();
            if (!_goesOn)
            {
                (_goesOn, _first) = (true, _last);
                _timer ??= clock.CreateTimer(static tally => ((OutageTally)tally!).Tell(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(Pause, Pause);
            }

            _all++;
            if (!_counts.ContainsKey(kind) && _counts.Count >= MaxKinds)
            {
                kind = OtherKinds;
            }

            if (_counts.TryAdd(kind, 0))
            {
                began(kind, failure);
                return;
            }

            _counts[kind]++;
            _news++;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private void Tell()
    {
        lock (_lock)
        {
            if (!_goesOn || _disposed)
            {
                return;
            }

            var lasted = clock.GetElapsedTime(_first, _last);
            if (_news > 0)
            {
                goesOn(new OutageCount(_news, string.Join(", ", _counts.Where(kind => kind.Value > 0).Select(kind => $"{kind.Key} {kind.Value}")), lasted));
                foreach (var kind in _counts.Keys)
                {
                    _counts[kind] = 0;
                }

                _news = 0;
            }
            else if (clock.GetElapsedTime(_last) >= Pause)
            {
                over(new OutageCount(_all, string.Join(", ", _counts.Keys), lasted));
                _counts.Clear();
                (_goesOn, _all) = (false, 0);
                _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
