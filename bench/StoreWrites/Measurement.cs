using System.Diagnostics;
using Grid.Abstractions.Sessions;

namespace Grid.StoreWrites;

/// <summary>Callers over one writer that each wait for their answer before they send the next write.</summary>
internal sealed class Measurement
{
    private const int SessionsPerCaller = 32;

    private readonly IWriter _writer;
    private readonly bool _refresh;
    private readonly SessionRecord[][] _owned;
    private readonly List<long> _ticks = [];

    private Measurement(IWriter writer, bool refresh, SessionRecord[][] owned) => (_writer, _refresh, _owned) = (writer, refresh, owned);

    /// <summary>Rounds in order: writes per second, bytes allocated per write.</summary>
    public List<(double PerSecond, double Bytes)> Rounds { get; } = [];

    public static async Task<Measurement> PrepareAsync(IWriter writer, bool refresh, int callers)
    {
        SessionRecord[][] owned = [.. Enumerable.Range(0, callers).Select(_ => Enumerable.Range(0, refresh ? SessionsPerCaller : 0).Select(_ => SampleSessions.New()).ToArray())];
        await Task.WhenAll(owned.Select(async mine =>
        {
            foreach (var session in mine)
            {
                await writer.CreateAsync(session);
            }
        }));
        var measurement = new Measurement(writer, refresh, owned);
        await measurement.RunAsync(TimeSpan.FromSeconds(0.5));
        return measurement;
    }

    public async Task TakeRoundAsync(TimeSpan duration)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var clock = Stopwatch.StartNew();
        var ticks = await RunAsync(duration);
        var elapsed = clock.Elapsed;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        Rounds.Add((ticks.Count / elapsed.TotalSeconds, (double)allocated / ticks.Count));
        _ticks.AddRange(ticks);
    }

    /// <summary>Over the writes of all rounds.</summary>
    public double Milliseconds(double share)
    {
        _ticks.Sort();
        return _ticks[Math.Min(_ticks.Count - 1, (int)(_ticks.Count * share))] * 1000.0 / Stopwatch.Frequency;
    }

    private async Task<List<long>> RunAsync(TimeSpan duration)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var perCaller = await Task.WhenAll(_owned.Select(mine => Task.Run(() => CallAsync(mine, end))));
        return [.. perCaller.SelectMany(t => t)];
    }

    private async Task<List<long>> CallAsync(SessionRecord[] mine, long end)
    {
        var ticks = new List<long>(4096);
        for (var i = 0; ; i++)
        {
            var start = Stopwatch.GetTimestamp();
            if (start >= end)
            {
                return ticks;
            }

            if (_refresh)
            {
                var next = SampleSessions.Refreshed(mine[i % mine.Length]);
                await _writer.RefreshAsync(next);
                mine[i % mine.Length] = next;
            }
            else
            {
                await _writer.CreateAsync(SampleSessions.New());
            }

            ticks.Add(Stopwatch.GetTimestamp() - start);
        }
    }
}
