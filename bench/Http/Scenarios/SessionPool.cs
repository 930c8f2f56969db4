using System.Text;
using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Scenarios;

/// <summary>Makes the sessions that other scenarios work on: a fixed number for each of some users.</summary>
internal sealed class SessionPool(string prefix, int users, int sessionsPerUser) : IScenario
{
    private readonly byte[][] _requests = [.. Enumerable.Range(0, users).Select(u => CoreRequests.Create(UserId(prefix, u)))];
    private readonly List<(string Access, string Refresh)> _tokens = [];
    private int _next;

    public IReadOnlyList<(string Access, string Refresh)> Tokens => _tokens;

    public IEnumerable<string> UserIds => Enumerable.Range(0, users).Select(u => UserId(prefix, u));

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        if (_next == users * sessionsPerUser)
        {
            return 0;
        }

        var request = _requests[_next++ / sessionsPerUser];
        request.CopyTo(buffer);
        return request.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body)
    {
        CoreAnswers.RequireOk(body);
        _tokens.Add((
            Encoding.ASCII.GetString(CoreAnswers.Token(body, "\"accessToken\":{\"token\":\""u8)),
            Encoding.ASCII.GetString(CoreAnswers.Token(body, "\"refreshToken\":{\"token\":\""u8))));
    }

    private static string UserId(string prefix, int user) => $"{prefix}-{user}";
}
