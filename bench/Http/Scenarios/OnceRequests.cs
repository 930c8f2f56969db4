using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Scenarios;

/// <summary>Requests that make sense once each: revoke-all. The answer must name as many handles as there were sessions.</summary>
internal sealed class OnceRequests(IEnumerable<byte[]> requests, int expectedHandles) : IScenario
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

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body)
    {
        CoreAnswers.RequireOk(body);

        // The strings of {"status":"OK","sessionHandlesRevoked":[…]}: two names, one value, the handles.
        var handles = (body.Count((byte)'"') / 2) - 3;
        if (handles != expectedHandles)
        {
            throw new InvalidOperationException($"Revoked {handles} sessions instead of {expectedHandles}.");
        }
    }
}
