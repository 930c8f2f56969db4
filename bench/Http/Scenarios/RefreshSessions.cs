using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Scenarios;

/// <summary>
/// Each connection refreshes its share of the sessions in turn, always with the newest token. With the SDK's version of
/// the protocol the first refresh of a session only answers a child token; every later one promotes it, which is a write.
/// </summary>
internal sealed class RefreshSessions : IScenario
{
    private readonly byte[][][] _sessions;
    private readonly int[] _current;

    public RefreshSessions(IReadOnlyList<(string Access, string Refresh)> tokens, int concurrency)
    {
        _current = new int[concurrency];
        _sessions = [.. Enumerable.Range(0, concurrency).Select(c =>
            tokens.Where((_, i) => i % concurrency == c).Select(t => CoreRequests.Refresh(t.Refresh)).ToArray())];
    }

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        var mine = _sessions[connection.Index];
        _current[connection.Index] = connection.Turn % mine.Length;
        var request = mine[_current[connection.Index]];
        request.CopyTo(buffer);
        return request.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body)
    {
        CoreAnswers.RequireOk(body);
        var token = CoreAnswers.Token(body, "\"refreshToken\":{\"token\":\""u8);
        var request = _sessions[connection.Index][_current[connection.Index]];
        var marker = "{\"refreshToken\":\""u8;
        var at = request.AsSpan().IndexOf(marker) + marker.Length;
        if (request[at + token.Length] != (byte)'"')
        {
            // Another length than before (the child carries its parent's hash): build it anew.
            _sessions[connection.Index][_current[connection.Index]] = CoreRequests.Refresh(System.Text.Encoding.ASCII.GetString(token));
            return;
        }

        token.CopyTo(request.AsSpan(at));
    }
}
