using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Scale;

/// <summary>Requests that make sense once each.</summary>
internal sealed class EachOnce(IEnumerable<byte[]> requests) : IScenario
{
    private readonly Queue<byte[]> _requests = new(requests);

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        if (!_requests.TryDequeue(out var request))
        {
            return 0;
        }

        request.CopyTo(buffer);
        return request.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body) => CoreAnswers.RequireOk(body);
}
