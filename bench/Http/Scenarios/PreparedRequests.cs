using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Scenarios;

/// <summary>Requests that may be sent again and again, in turn over all connections: verify and list.</summary>
internal sealed class PreparedRequests(IEnumerable<byte[]> requests) : IScenario
{
    private readonly byte[][] _requests = [.. requests];
    private int _next;

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        var request = _requests[_next++ % _requests.Length];
        request.CopyTo(buffer);
        return request.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body) => CoreAnswers.RequireOk(body);
}
