using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Grid.WebFront.Doors;

/// <summary>
/// Refuses requests that two programs may read differently: unless it is beyond doubt where a body ends, one request can hide inside
/// another behind a proxy.
/// </summary>
public static class RequestFraming
{
    private static readonly byte[] Refusal = "Ambiguous request framing\n"u8.ToArray();

    /// <summary>
    /// Refuses ambiguous bodies with 400 and closes the connection, since what follows may or may not be the rest of a body.
    /// </summary>
    public static IApplicationBuilder UseGridFraming(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Use(static (context, next) => IsAmbiguous(context.Request) ? RefuseAsync(context.Response) : next(context));
    }

    /// <summary>
    /// Reads header values as bytes (RFC 9110, section 5.5), so that a Latin-1 letter in another site's cookie does no harm; and lengths
    /// by their digits alone, where Kestrel would accept <c>+14</c> as 14.
    /// </summary>
    public static void ReadHeadersAsBytes(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.RequestHeaderEncodingSelector = static name =>
            string.Equals(name, HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? DigitsEncoding.Instance : Encoding.Latin1;
    }

    private static bool IsAmbiguous(HttpRequest request)
    {
        var encoding = request.Headers.TransferEncoding;
        return encoding.Count > 0
            && (encoding.Count > 1
                || !string.Equals(encoding[0], "chunked", StringComparison.OrdinalIgnoreCase)
                || HttpProtocol.IsHttp10(request.Protocol)

                // Kestrel lets Transfer-Encoding win and moves the length that came with it to this header.
                || request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"));
    }

    private static async Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status400BadRequest;
        response.Headers.Connection = "close";
        response.ContentType = "text/html; charset=UTF-8";
        response.ContentLength = Refusal.Length;
        await response.BodyWriter.WriteAsync(Refusal);
    }

    /// <summary>Digits as they are, everything else as a character that no number contains.</summary>
    private sealed class DigitsEncoding : Encoding
    {
        public static DigitsEncoding Instance { get; } = new();

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            if (bytes.Length > chars.Length)
            {
                // Longer than any valid length.
                chars[0] = 'x';
                return 1;
            }

            for (var i = 0; i < bytes.Length; i++)
            {
                chars[i] = char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : 'x';
            }

            return bytes.Length;
        }

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetMaxCharCount(int byteCount) => byteCount;

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => charCount;
    }
}
