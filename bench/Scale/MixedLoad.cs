using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Scale;

/// <summary>What a back end asks for in the course of a day: of twenty requests thirteen checks, three refreshes, two creations, a list and a revocation.</summary>
internal sealed class MixedLoad(string name, SessionPool pool, IReadOnlyList<string> users, IEnumerable<Guid> toRevoke, int connections) : IScenario
{
    private static readonly int[] Turns = [0, 0, 1, 0, 0, 2, 0, 0, 1, 0, 3, 0, 0, 2, 0, 0, 1, 0, 4, 0];

    private readonly IScenario[] _kinds =
    [
        new PreparedRequests(pool.Tokens.Select(token => CoreRequests.Verify(token.Access, checkDatabase: false))),
        new RefreshSessions(pool.Tokens, connections),
        new CreateSessions($"{name}-"),
        new PreparedRequests(users.Take(1_000).Select(CoreRequests.List)),
        new EachOnce(toRevoke.Select(handle => CoreRequests.Post("/recipe/session/remove", $$"""{"sessionHandles":["{{handle:D}}"]}"""))),
    ];

    private readonly IScenario[] _asked = new IScenario[connections];
    private int _next;

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        var kind = _kinds[Turns[_next++ % Turns.Length]];
        var length = kind.WriteRequest(connection, buffer);
        if (length == 0)
        {
            // Nothing is left to revoke.
            kind = _kinds[0];
            length = kind.WriteRequest(connection, buffer);
        }

        _asked[connection.Index] = kind;
        return length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body) => _asked[connection.Index].ReadAnswer(connection, body);
}
