using System.Text;

namespace Grid.Bench.Http.Scenarios;

internal static class CoreAnswers
{
    public static void RequireOk(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("{\"status\":\"OK\""u8))
        {
            throw new InvalidOperationException("The operation failed: " + Encoding.UTF8.GetString(body[..Math.Min(body.Length, 400)]));
        }
    }

    /// <summary>The token string of the member that <paramref name="marker"/> opens, such as <c>"refreshToken":{"token":"</c>.</summary>
    public static ReadOnlySpan<byte> Token(ReadOnlySpan<byte> body, ReadOnlySpan<byte> marker)
    {
        var start = body.IndexOf(marker);
        if (start < 0)
        {
            throw new InvalidOperationException("The answer lacks a token.");
        }

        var rest = body[(start + marker.Length)..];
        return rest[..rest.IndexOf((byte)'"')];
    }
}
