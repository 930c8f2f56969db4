using System.Net.Sockets;
using System.Text;

namespace Grid.HostKit;

/// <summary>A request as it is written: clients tidy paths up before they send them.</summary>
internal static class RawRequest
{
    /// <summary>Sends a request line as it is, and some headers.</summary>
    /// <returns>The answer's status and its text, headers included.</returns>
    public static async Task<(int Status, string Text)> SendAsync(Uri url, string method, string target, params string[] headers)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        await using var stream = client.GetStream();
        var lines = string.Concat(headers.Select(header => header + "\r\n"));
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Length: 0\r\nConnection: close\r\n{lines}\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var text = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (int.Parse(text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), text);
    }
}
