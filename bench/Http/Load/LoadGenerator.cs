using System.Diagnostics;
using System.Net;

namespace Grid.Bench.Http.Load;

/// <summary>
/// Drives all connections from one thread. The generator shares the machine with what it measures: a thread or a task
/// per connection would take a good part of the second core for itself.
/// </summary>
internal sealed class LoadGenerator : IDisposable
{
    private readonly Connection[] _connections;
    private readonly SystemCalls.PollEntry[] _entries;

    public LoadGenerator(IPEndPoint server, int concurrency)
        : this([server], concurrency)
    {
    }

    /// <param name="servers">Take turns with the connections.</param>
    /// <param name="concurrency">Connections in all.</param>
    public LoadGenerator(IReadOnlyList<IPEndPoint> servers, int concurrency)
    {
        _connections = [.. Enumerable.Range(0, concurrency).Select(i => new Connection(i, servers[i % servers.Count]))];
        _entries = new SystemCalls.PollEntry[concurrency];
    }

    /// <summary>Runs until the time is up or the scenario has no work left, then waits for the answers still on their way.</summary>
    public Latencies Run(IScenario scenario, TimeSpan duration)
    {
        var latencies = new Latencies();
        var began = Stopwatch.GetTimestamp();
        var end = duration == Timeout.InfiniteTimeSpan ? long.MaxValue : began + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var busy = 0;
        for (var i = 0; i < _connections.Length; i++)
        {
            var sends = _connections[i].Send(scenario, Stopwatch.GetTimestamp());
            _entries[i] = new() { Descriptor = sends ? _connections[i].Descriptor : -1, Wanted = SystemCalls.Readable };
            busy += sends ? 1 : 0;
        }

        while (busy > 0)
        {
            // A single connection may simply block in receive.
            if (_connections.Length > 1 && SystemCalls.Poll(_entries, (nuint)_entries.Length, 30_000) == 0)
            {
                throw new TimeoutException("No answer for 30 seconds.");
            }

            for (var i = 0; i < _entries.Length; i++)
            {
                if (_entries[i].Descriptor < 0 || (_connections.Length > 1 && _entries[i].Happened == 0))
                {
                    continue;
                }

                var connection = _connections[i];
                if (!connection.Receive(scenario))
                {
                    continue;
                }

                var now = Stopwatch.GetTimestamp();
                latencies.Add(now - connection.SentAt);
                if (now >= end || !connection.Send(scenario, now))
                {
                    // poll skips negative descriptors.
                    _entries[i].Descriptor = -1;
                    busy--;
                }
            }
        }

        latencies.Elapsed = Stopwatch.GetElapsedTime(began);
        return latencies;
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }
    }
}
