using System.Diagnostics;
using System.Net;
using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Overload;

/// <summary>Sends so many requests a second, whatever the answers are: as many clients as it takes, none of which waits for another.</summary>
internal sealed class Flood : IDisposable
{
    private readonly Connection[] _connections;
    private readonly SystemCalls.PollEntry[] _entries;
    private readonly Queue<int> _free;

    public Flood(IPEndPoint server, int connections)
    {
        _connections = [.. Enumerable.Range(0, connections).Select(i => new Connection(i, server) { TakesRefusals = true })];
        _entries = new SystemCalls.PollEntry[connections];
        _free = new Queue<int>(Enumerable.Range(0, connections));
        Array.Fill(_entries, new SystemCalls.PollEntry { Descriptor = -1, Wanted = SystemCalls.Readable });
    }

    public FloodFigures Run(IScenario scenario, double perSecond, TimeSpan duration)
    {
        var (done, refused) = (new Latencies(), new Latencies());
        var began = Stopwatch.GetTimestamp();
        var sent = 0L;
        var due = 0L;
        while (Stopwatch.GetElapsedTime(began) < duration || _free.Count < _connections.Length)
        {
            var elapsed = Stopwatch.GetElapsedTime(began);
            if (elapsed < duration)
            {
                due = (long)(elapsed.TotalSeconds * perSecond);
                for (; sent < due && _free.TryDequeue(out var i); sent++)
                {
                    _connections[i].Send(scenario, Stopwatch.GetTimestamp());
                    _entries[i].Descriptor = _connections[i].Descriptor;
                }
            }
            else if (elapsed > duration + TimeSpan.FromSeconds(30))
            {
                throw new TimeoutException("No answer for 30 seconds.");
            }

            if (SystemCalls.Poll(_entries, (nuint)_entries.Length, 1) > 0)
            {
                Receive(scenario, done, refused);
            }
        }

        done.Elapsed = refused.Elapsed = duration;
        return new FloodFigures(done, refused, due / duration.TotalSeconds, (due - sent) / duration.TotalSeconds);
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }
    }

    private void Receive(IScenario scenario, Latencies done, Latencies refused)
    {
        for (var i = 0; i < _entries.Length; i++)
        {
            if (_entries[i].Descriptor < 0 || _entries[i].Happened == 0 || !_connections[i].Receive(scenario))
            {
                continue;
            }

            (_connections[i].WasRefused ? refused : done).Add(Stopwatch.GetTimestamp() - _connections[i].SentAt);
            _entries[i].Descriptor = -1;
            _free.Enqueue(i);
        }
    }
}

/// <summary>What became of a flood.</summary>
/// <param name="Done">Answered with 200.</param>
/// <param name="Refused">Answered with 503.</param>
/// <param name="Offered">Requests per second that were due.</param>
/// <param name="NotSent">Of those, that found no free connection: the load generator was too slow.</param>
internal sealed record FloodFigures(Latencies Done, Latencies Refused, double Offered, double NotSent);
