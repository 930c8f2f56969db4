using System.Diagnostics;
using System.Net;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Http.Overload;

/// <summary>One revocation after the other on a connection of its own, beside whatever else happens: what a back end sees that signs a user out.</summary>
internal sealed class Revocations : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private readonly Connection _connection;
    private readonly OnceRequests _requests;
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <param name="server">The silo.</param>
    /// <param name="users">With one session each.</param>
    public Revocations(IPEndPoint server, IEnumerable<string> users)
    {
        _connection = new Connection(0, server) { TakesRefusals = true };
        _requests = new OnceRequests(users.Select(CoreRequests.RevokeAll), expectedHandles: 1);
        _thread = new Thread(Run) { IsBackground = true, Name = "revocations" };
        _thread.Start();
    }

    public Latencies Done { get; } = new();

    public int Refused { get; private set; }

    public void Stop()
    {
        _stop = true;
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _connection.Dispose();
    }

    private void Run()
    {
        while (!_stop && _connection.Send(_requests, Stopwatch.GetTimestamp()))
        {
            while (!_connection.Receive(_requests))
            {
                // More of it comes.
            }

            if (_connection.WasRefused)
            {
                Refused++;
            }
            else
            {
                Done.Add(Stopwatch.GetTimestamp() - _connection.SentAt);
            }

            Thread.Sleep(Pause);
        }
    }
}
