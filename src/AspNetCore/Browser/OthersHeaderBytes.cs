using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Grid.AspNetCore.Browser;

/// <summary>
/// Accepts requests whose headers contain bytes that are not UTF-8, such as a <c>Cookie: legacy=caf\xE9</c> set by another site on the
/// domain: Kestrel would return 400 before the user could refresh or sign out, and the browser would keep sending that cookie. What
/// Kestrel accepts by itself is read as before. An application that chose its own <c>RequestHeaderEncodingSelector</c> keeps it.
/// </summary>
internal sealed class OthersHeaderBytes : IPostConfigureOptions<KestrelServerOptions>
{
    public void PostConfigure(string? name, KestrelServerOptions options)
    {
        if (ReferenceEquals(options.RequestHeaderEncodingSelector, new KestrelServerOptions().RequestHeaderEncodingSelector))
        {
            options.RequestHeaderEncodingSelector = static header =>
                string.Equals(header, HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? null : Utf8OrLatin1.Instance;
        }
    }

    /// <summary>
    /// UTF-8, as Kestrel reads by itself; anything else is read as ISO 8859-1, in which every byte is valid (RFC 9110, section 5.5).
    /// </summary>
    internal sealed class Utf8OrLatin1 : Encoding
    {
        public static Utf8OrLatin1 Instance { get; } = new();

        // Kestrel's calls end up in these two; without them each header would be copied twice.
        public override unsafe int GetCharCount(byte* bytes, int count) => Count(new ReadOnlySpan<byte>(bytes, count));

        public override unsafe int GetChars(byte* bytes, int byteCount, char* chars, int charCount) =>
            GetChars(new ReadOnlySpan<byte>(bytes, byteCount), new Span<char>(chars, charCount));

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            if (System.Text.Unicode.Utf8.ToUtf16(bytes, chars, out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done)
            {
                return written;
            }

            return Latin1.GetChars(bytes, chars);
        }

        public override int GetCharCount(byte[] bytes, int index, int count) => Count(bytes.AsSpan(index, count));

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        public override int GetMaxCharCount(int byteCount) => byteCount;

        public override int GetByteCount(char[] chars, int index, int count) => UTF8.GetByteCount(chars, index, count);

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => UTF8.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => UTF8.GetMaxByteCount(charCount);

        private static int Count(ReadOnlySpan<byte> bytes) =>
            bytes.Contains((byte)0) ? throw new DecoderFallbackException("A header contains a zero byte.")
            : Ascii.IsValid(bytes) || !System.Text.Unicode.Utf8.IsValid(bytes) ? bytes.Length
            : UTF8.GetCharCount(bytes);
    }
}
