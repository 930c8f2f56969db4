using System.Net.Sockets;
using System.Text;

namespace Grid.WebFront.Tests;

/// <summary>Two readings of where a body ends let one request hide in another: such a request is refused, and the connection ends.</summary>
/// <remarks>"Content-Length: +7" is no row: Kestrel reads it as 7 and tells nobody; a proxy in front has to refuse it.</remarks>
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
    public async Task An_ambiguous_body_is_refused(string framing)
    {
        var answer = await SendAsync($"POST /recipe/session/remove HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{Chunks}");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunked_body_is_read()
    {
        var answer = await SendAsync($"POST /recipe/session/remove HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{Chunks}");
        Assert.EndsWith("""{"status":"OK","sessionHandlesRevoked":[]}""", answer, StringComparison.Ordinal);
    }

    // Reads until the server ends the connection: it must not go on to what follows.
    private async Task<string> SendAsync(string request)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await client.ConnectAsync(core.Url.Host, core.Url.Port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), patience.Token);
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
