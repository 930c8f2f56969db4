using Grid.Bench.Http.Load;

namespace Grid.Bench.Http.Scenarios;

/// <summary>A session for a new user each time.</summary>
internal sealed class CreateSessions(string prefix) : IScenario
{
    private const int Digits = 9;

    private readonly byte[] _template = CoreRequests.Create(prefix + new string('0', Digits));
    private readonly int _digitsAt = System.Text.Encoding.UTF8.GetString(CoreRequests.Create(prefix + new string('0', Digits)))
        .IndexOf(new string('0', Digits), StringComparison.Ordinal);
    private int _next;

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        _template.CopyTo(buffer);
        var number = _next++;
        for (var i = Digits - 1; i >= 0; i--, number /= 10)
        {
            buffer[_digitsAt + i] = (byte)('0' + (number % 10));
        }

        return _template.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body) => CoreAnswers.RequireOk(body);
}
