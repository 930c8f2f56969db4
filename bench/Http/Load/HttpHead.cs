using System.Buffers.Text;
using System.Text;

namespace Grid.Bench.Http.Load;

/// <summary>As much of HTTP/1.1 as the servers measured here speak: a status line, and a body with a length.</summary>
internal static class HttpHead
{
    public static int ContentLength(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        return at >= 0 && Utf8Parser.TryParse(head[(at + 16)..], out int length, out _)
            ? length
            : throw new InvalidOperationException("The answer has no Content-Length: " + Encoding.UTF8.GetString(head));
    }

    public static bool IsRefusal(ReadOnlySpan<byte> answer) => answer.StartsWith("HTTP/1.1 503"u8);

    /// <summary>Only a 200 counts as an operation; anything else ends the run.</summary>
    public static void RequireOk(ReadOnlySpan<byte> answer)
    {
        if (!answer.StartsWith("HTTP/1.1 200"u8))
        {
            throw new InvalidOperationException("Not a 200: " + Encoding.UTF8.GetString(answer[..Math.Min(answer.Length, 600)]));
        }
    }
}
