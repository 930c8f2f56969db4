using System.Text;

namespace Grid.Adversary.Tests.Strangers.Fuzz;

/// <summary>Spoils requests. A seed decides all of it.</summary>
internal sealed class Mutations(Random random)
{
    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1e400", "9223372036854775808", "0.1", "\"\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"\\u202e\"", "[]", "{}", "[[]]", "[\"\"]",
        "{\"a\":{\"a\":{\"a\":{}}}}", "\"__proto__\"", "{\"a\":1,\"a\":2}", "\"../../etc\"", "\"a/b|c:d\"", "\"' OR 1=1 --\"", "\"\u00e9\"", "\"\U0001F600\"", "1,", "//",
    ];

    private static readonly string[] Targets =
    [
        "/..", "/%2e%2e", "/%2f", "//", "/%00", "/%ff", "/%zz", "/;x=1", "/.", "\\", "?", "?a=b&a=b", "#x", "/appid-", "/appid-x/appid-y", "/%C3%A9", "/\u00e9", "%252e", "/ ",
    ];

    private static readonly (string Name, string Value)[] Headers =
    [
        ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip, chunked"), ("Content-Length", "+5"), ("Content-Length", "0"), ("Content-Length", "99999999"),
        ("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=utf-16"), ("Content-Encoding", "gzip"), ("Expect", "100-continue"), ("Host", "a.example"),
        ("Host", ""), ("Origin", "null"), ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Cookie", "legacy=caf\u00e9"), ("Cookie", "sRefreshToken=a; sRefreshToken=b"),
        ("Cookie", "sAccessToken=;;;=;"), ("Authorization", "Bearer"), ("Authorization", "Basic !!!"), ("cdi-version", "2.21"), ("cdi-version", "5.4"), ("cdi-version", "99"), ("cdi-version", ""),
        ("fdi-version", "1.0,4.1,x"), ("X-HTTP-Method-Override", "DELETE"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-Uri", "/\u0001"),
        ("X-Original-URI", "/a/../b"), ("X-Forwarded-Prefix", "/x"), ("st-auth-mode", "nonsense"), ("rid", "anti-csrf"), ("Range", "bytes=0-"), ("If-None-Match", "*"), ("api-key", "wrong-wrong-wrong-wrong"),
    ];

    private static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "\u00e9", "VERYLONGMETHODNAMEVERYLONGMETHODNAME"];

    /// <summary>One request, spoiled in one to four ways; a few are left as they are.</summary>
    public byte[] Spoil(Sample sample)
    {
        var times = random.Next(20) == 0 ? 0 : random.Next(1, 5);
        for (var i = 0; i < times; i++)
        {
            sample = random.Next(9) switch
            {
                0 => sample with { Method = Pick(Methods) },
                1 or 2 => sample with { Target = SpoilTarget(sample.Target) },
                3 or 4 => sample with { Headers = SpoilHeaders(sample.Headers) },
                _ => sample with { Body = SpoilJson(sample.Body ?? "{}") },
            };
        }

        var bytes = sample.ToBytes();
        return random.Next(8) == 0 ? SpoilBytes(bytes) : bytes;
    }

    /// <summary>A message of the WebSocket, spoiled or not.</summary>
    public byte[] Spoil(string message)
    {
        for (var i = random.Next(4); i > 0; i--)
        {
            message = SpoilJson(message);
        }

        var bytes = Encoding.UTF8.GetBytes(message);
        return random.Next(10) == 0 ? SpoilBytes(bytes) : bytes;
    }

    public T Pick<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private string SpoilTarget(string target)
    {
        var at = random.Next(1, target.Length + 1);
        return random.Next(5) switch
        {
            0 => target[..at],
            1 => target + "/" + new string('a', random.Next(9000)),
            2 => target.ToUpperInvariant(),
            _ => target[..at] + Pick(Targets) + target[at..],
        };
    }

    private List<(string, string)> SpoilHeaders(IReadOnlyList<(string Name, string Value)> headers)
    {
        List<(string, string)> spoiled = [.. headers];
        switch (random.Next(5))
        {
            case 0:
                spoiled.RemoveAt(random.Next(spoiled.Count));
                break;
            case 1:
                spoiled.Add(Pick(spoiled));
                break;
            case 2:
                var (name, value) = Pick(spoiled);
                spoiled.Remove((name, value));
                spoiled.Add((name, value[..random.Next(value.Length + 1)] + (char)random.Next(1, 256)));
                break;
            default:
                spoiled.Add(Pick(Headers));
                break;
        }

        if (spoiled.Count == 0)
        {
            spoiled.Add(("Host", "localhost"));
        }

        return spoiled;
    }

    // Tokens of JSON text are swapped, doubled and dropped: most of what comes out is still JSON, and of an unexpected shape.
    private string SpoilJson(string json)
    {
        var cuts = Enumerable.Range(0, json.Length).Where(i => json[i] is ',' or ':' or '{' or '}' or '[' or ']' or '"').ToList();
        if (cuts.Count < 2)
        {
            return Pick(Values);
        }

        var from = Pick(cuts);
        var to = Pick(cuts);
        (from, to) = (Math.Min(from, to), Math.Max(from, to));
        return random.Next(8) switch
        {
            0 => json[..from] + json[to..],
            1 => json[..to] + json[from..],
            2 => json[..from] + Pick(Values) + json[from..],
            3 => Deep(random.Next(2, 3000)),
            4 => json.Replace("\":", $"{new string('x', random.Next(3))}\":", StringComparison.Ordinal),
            5 => $$"""{"many":[{{string.Join(',', Enumerable.Repeat(Pick(Values), random.Next(2000)))}}]}""",
            _ => ReplaceOneValue(json),
        };
    }

    private string ReplaceOneValue(string json)
    {
        var colons = Enumerable.Range(0, json.Length).Where(i => json[i] == ':').ToList();
        if (colons.Count == 0)
        {
            return json;
        }

        var start = Pick(colons) + 1;
        var end = json.IndexOfAny([',', '}'], start);
        return end < 0 ? json : json[..start] + Pick(Values) + json[end..];
    }

    private string Deep(int levels) => random.Next(2) == 0
        ? string.Concat(Enumerable.Repeat("{\"userDataInJWT\":", levels)) + "1" + new string('}', levels)
        : $$"""{"sessionHandles":{{new string('[', levels)}}{{new string(']', levels)}}}""";

    private byte[] SpoilBytes(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return bytes;
        }

        var at = random.Next(bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                return bytes[..at];
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
            default:
                return [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
        }
    }
}
