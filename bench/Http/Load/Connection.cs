using System.Net;
using System.Net.Sockets;

namespace Grid.Bench.Http.Load;

/// <summary>One keep-alive connection with at most one request in flight, and its buffers.</summary>
internal sealed class Connection : IDisposable
{
    private const int RequestSize = 8 * 1024;

    // The answer to revoke-all of 1,000 sessions lists 1,000 handles; a longer one grows the buffer.
    private const int AnswerSize = 128 * 1024;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _request = new byte[RequestSize];
    private byte[] _answer = new byte[AnswerSize];
    private int _received;

    public Connection(int index, IPEndPoint server)
    {
        Index = index;
        _socket.Connect(server);
    }

    public int Index { get; }

    /// <summary>Requests that this connection has begun.</summary>
    public int Turn { get; private set; }

    public long SentAt { get; private set; }

    /// <summary>Whether a 503 is an answer like another; otherwise it ends the run.</summary>
    public bool TakesRefusals { get; init; }

    /// <summary>Whether the last answer was a 503.</summary>
    public bool WasRefused { get; private set; }

    public int Descriptor => (int)_socket.Handle;

    /// <summary>Sends the scenario's next request.</summary>
    /// <returns>False if the scenario has nothing left for this connection.</returns>
    public bool Send(IScenario scenario, long now)
    {
        var length = scenario.WriteRequest(this, _request);
        if (length == 0)
        {
            return false;
        }

        Turn++;
        SentAt = now;
        _received = 0;
        for (var sent = 0; sent < length;)
        {
            sent += _socket.Send(_request.AsSpan(sent, length - sent));
        }

        return true;
    }

    /// <summary>Reads what is there (waits if nothing is).</summary>
    /// <returns>True once the whole answer is there; it has then been handed to the scenario.</returns>
    public bool Receive(IScenario scenario)
    {
        if (_received == _answer.Length)
        {
            Array.Resize(ref _answer, 2 * _received);
        }

        var count = _socket.Receive(_answer.AsSpan(_received));
        if (count == 0)
        {
            throw new InvalidOperationException("The server closed the connection.");
        }

        _received += count;
        var answer = _answer.AsSpan(0, _received);
        var headEnd = answer.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        var bodyStart = headEnd + 4;
        var body = bodyStart + HttpHead.ContentLength(answer[..bodyStart]);
        if (_received < body)
        {
            return false;
        }

        WasRefused = TakesRefusals && HttpHead.IsRefusal(answer);
        if (WasRefused)
        {
            return true;
        }

        HttpHead.RequireOk(answer[..body]);
        scenario.ReadAnswer(this, answer[bodyStart..body]);
        return true;
    }

    public void Dispose() => _socket.Dispose();
}
