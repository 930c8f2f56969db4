using System.Globalization;
using System.Text;

namespace Grid.Adversary.Tests.Strangers.Fuzz;

/// <summary>Just enough HTTP/1.1 to tell whether a message is whole.</summary>
internal static class RawHttp
{
    /// <summary>Whether the server has all of a request, so that an answer is due. If in doubt: no.</summary>
    public static bool IsWhole(byte[] request)
    {
        var text = Encoding.Latin1.GetString(request);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var headers = text[..end].Split("\r\n").Skip(1).ToList();
        if (headers.Exists(header => header.StartsWith("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) || header.StartsWith("Expect", StringComparison.OrdinalIgnoreCase)))
        {
            return false;
        }

        var lengths = headers.Where(header => header.StartsWith("Content-Length", StringComparison.OrdinalIgnoreCase)).ToList();
        return lengths.Count == 0
            || (lengths.Count == 1 && int.TryParse(lengths[0].Split(':')[^1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= text.Length - end - 4);
    }

    /// <summary>Whether an answer has ended, or will go on for ever (a stream of events, an upgrade).</summary>
    public static bool IsOver(string answer, bool toHead)
    {
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var head = answer[..end];
        if (head.StartsWith("HTTP/1.1 100", StringComparison.Ordinal))
        {
            return IsOver(answer[(end + 4)..], toHead);
        }

        if (toHead || head.Contains("text/event-stream", StringComparison.Ordinal) || head[9..12] is "101" or "204" or "304")
        {
            return true;
        }

        var length = head.Split("\r\n").FirstOrDefault(header => header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return length is not null
            ? answer.Length - end - 4 >= int.Parse(length.Split(':')[1], CultureInfo.InvariantCulture)
            : head.Contains("chunked", StringComparison.OrdinalIgnoreCase) && answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
    }
}
