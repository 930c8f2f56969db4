using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>A machine's processor: work waits until a core is free.</summary>
internal sealed class Cores(Scheduler scheduler, int count)
{
    private readonly TimeSpan[] _freeAt = new TimeSpan[count];

    /// <summary>In all, so far.</summary>
    public TimeSpan Worked { get; private set; }

    /// <summary>Puts work in line.</summary>
    /// <returns>How long from now until it is done.</returns>
    public TimeSpan Take(TimeSpan work)
    {
        var first = Array.IndexOf(_freeAt, _freeAt.Min());
        _freeAt[first] = (_freeAt[first] > scheduler.Now ? _freeAt[first] : scheduler.Now) + work;
        Worked += work;
        return _freeAt[first] - scheduler.Now;
    }
}
