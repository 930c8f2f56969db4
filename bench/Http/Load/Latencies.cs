using System.Diagnostics;

namespace Grid.Bench.Http.Load;

/// <summary>Every operation's time, exactly.</summary>
internal sealed class Latencies
{
    // Ten seconds at 100,000 a second, so that it does not grow while measuring.
    private long[] _ticks = new long[1_000_000];
    private bool _sorted;

    public int Count { get; private set; }

    public TimeSpan Elapsed { get; set; }

    public double PerSecond => Count / Elapsed.TotalSeconds;

    public void Add(long ticks)
    {
        if (Count == _ticks.Length)
        {
            Array.Resize(ref _ticks, Count * 2);
        }

        _ticks[Count++] = ticks;
        _sorted = false;
    }

    public void Add(Latencies other)
    {
        foreach (var ticks in other._ticks.AsSpan(0, other.Count))
        {
            Add(ticks);
        }
    }

    /// <summary>Milliseconds below which that share of the operations stayed (nearest rank).</summary>
    public double Percentile(double share)
    {
        if (Count == 0)
        {
            return 0;
        }

        if (!_sorted)
        {
            Array.Sort(_ticks, 0, Count);
            _sorted = true;
        }

        return _ticks[Math.Clamp((int)Math.Ceiling(share * Count) - 1, 0, Count - 1)] * 1000.0 / Stopwatch.Frequency;
    }
}
