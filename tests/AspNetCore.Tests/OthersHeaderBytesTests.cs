using System.Net.Sockets;
using System.Text;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Grid.AspNetCore.Tests;

/// <summary>Bytes of other people in headers, at a service with <c>AddGrid()</c>.</summary>
public sealed class OthersHeaderBytesTests(CoreHost core)
{
    [Theory]
    [InlineData("Cookie: legacy=caf\u00e9")]
    [InlineData("User-Agent: caf\u00e9")]
    [InlineData("Referer: http://localhost/\u00e9")]
    [InlineData("X-Anything: \u00ff\u00fe\u0080")]
    public async Task A_latin_letter_in_any_header_harms_nobody(string header)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync("/sign-in?user=u1");
        var cookie = $"Cookie: sAccessToken={browser.Cookies["sAccessToken"]}";
        var ours = header.StartsWith("Cookie", StringComparison.Ordinal) ? $"{header}; {cookie["Cookie: ".Length..]}" : $"{header}\r\n{cookie}";

        Assert.StartsWith("HTTP/1.1 200 ", await SendAsync(app.Url, $"GET /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{ours}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await SendAsync(app.Url, $"POST /auth/signout HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nOrigin: https://app.example.com\r\nrid: x\r\n{ours}\r\n\r\n{{}}"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 401 ", await SendAsync(app.Url, $"GET /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{ours}\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_read_before_is_read_the_same_and_an_applications_own_choice_stays()
    {
        var encoding = OthersHeaderBytes.Utf8OrLatin1.Instance;
        foreach (var text in new[] { "", "plain", "caf\u00e9 \u20ac \U0001F600", new string('a', 10_000) })
        {
            Assert.Equal(text, encoding.GetString(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(text, encoding.GetString(Encoding.UTF8.GetBytes(text).AsSpan()));
        }

        Assert.Equal("caf\u00e9", encoding.GetString([0x63, 0x61, 0x66, 0xE9]));
        Assert.Equal("\u00c3(", encoding.GetString((ReadOnlySpan<byte>)[0xC3, 0x28]));
        Assert.Throws<DecoderFallbackException>(() => encoding.GetString("a\0"u8));

        var own = new KestrelServerOptions { RequestHeaderEncodingSelector = _ => Encoding.ASCII };
        new OthersHeaderBytes().PostConfigure(null, own);
        Assert.Same(Encoding.ASCII, own.RequestHeaderEncodingSelector("Cookie"));
    }

    private static async Task<string> SendAsync(Uri url, string request)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await client.ConnectAsync(url.Host, url.Port, patience.Token);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request), patience.Token);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync(patience.Token);
    }
}
