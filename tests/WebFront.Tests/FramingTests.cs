using System.Net.Sockets;
using System.Text;

namespace Grid.WebFront.Tests;

/// <summary>Two readings of where a body ends let one request hide in another: such a request is refused, and the connection ends.</summary>
public sealed class FramingTests(CoreHost core)
{
    // Would be answered with 200 if it were read as a body.
    private const string Chunks = "15\r\n{\"sessionHandles\":[]}\r\n0\r\n\r\n";

    [Theory]
    [InlineData("Content-Length: 7\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 7")]
    [InlineData("Transfer-Encoding: gzip, chunked")]
    [InlineData("Transfer-Encoding: chunked, gzip")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: identity")]
    [InlineData("Transfer-Encoding: xchunked")]
    [InlineData("Content-Length: 7\r\nContent-Length: 8")]
    [InlineData("Content-Length: -1")]
    [InlineData("Content-Length: 7, 7")]
    [InlineData("Content-Length: 0x7")]
    [InlineData("Content-Length: +7")]
    [InlineData("Content-Length: 99999999999999999999999999")]
    public async Task An_ambiguous_body_is_refused_at_every_door_and_path(string framing)
    {
        foreach (var (door, path) in new[]
        {
            (core.Url, "/recipe/session/remove"), (core.Url, "/hello"), (core.Url, "/nothing/here"),
            (core.FrontUrl, "/auth/session/refresh"), (core.FrontUrl, "/auth/session/ticket"), (core.FrontUrl, "/auth/verify"), (core.FrontUrl, "/nothing/here"),
        })
        {
            var answer = await SendAsync(door, $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n{Chunks}");
            Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
            Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
            Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_protocol_without_chunks_has_none()
    {
        var answer = await SendAsync(core.Url, $"POST /recipe/session/remove HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{Chunks}");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Cookie: legacy=caf\u00e9")]
    [InlineData("Cookie: \u00ff\u00fe\u0080=\u00a0; other=1")]
    [InlineData("User-Agent: caf\u00e9/1.0")]
    [InlineData("Referer: http://localhost/\u00e9")]
    [InlineData("X-Forwarded-For: \u00e9")]
    [InlineData("Accept-Language: \u00e9")]
    [InlineData("Sec-Fetch-Site: none\r\nX-\u00e9: 1", true)]
    [InlineData("api-key: \u00e9")]
    [InlineData("rid: \u00e9\r\nst-auth-mode: \u00e9")]
    [InlineData("X-Name: a\0b", true)]
    public async Task Other_peoples_bytes_in_a_header_harm_nobody(string header, bool refused = false)
    {
        foreach (var (door, path, status) in new[] { (core.Url, "GET /apiversion", 200), (core.FrontUrl, "POST /auth/session/refresh", 401), (core.FrontUrl, "GET /auth/verify", 401) })
        {
            var answer = await SendAsync(door, $"{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n");
            Assert.StartsWith($"HTTP/1.1 {(refused ? 400 : status)} ", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_chunked_body_is_read()
    {
        var answer = await SendAsync(core.Url, $"POST /recipe/session/remove HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{Chunks}");
        Assert.EndsWith("""{"status":"OK","sessionHandlesRevoked":[]}""", answer, StringComparison.Ordinal);
    }

    // Reads until the server ends the connection: it must not go on to what follows.
    private static async Task<string> SendAsync(Uri door, string request)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await client.ConnectAsync(door.Host, door.Port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), patience.Token);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, patience.Token)) > 0)
            {
                answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Reset with our rest unread: the connection is over just the same.
        }

        return answer.ToString();
    }
}
