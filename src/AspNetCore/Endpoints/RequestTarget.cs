using System.Text.Unicode;

namespace Grid.AspNetCore.Endpoints;

/// <summary>A request's target as it was sent, before it was decoded or normalised (RFC 9112, section 3.2).</summary>
/// <remarks>
/// A proxy decides by the path that it reads, and so does the application. If the two can differ, a rule for <c>/admin/</c> protects
/// nothing.
/// </remarks>
internal static class RequestTarget
{
    /// <summary>Whether two programs may read the path differently.</summary>
    /// <param name="target">A path with or without a query, or a whole URL.</param>
    /// <remarks>
    /// Dot segments, empty segments, backslashes, path parameters (<c>;</c>), fragments, control characters, what is not ASCII; the
    /// same percent-encoded, an encoded percent sign before two hexadecimal digits, half an escape, and bytes that are not UTF-8.
    /// </remarks>
    public static bool IsAmbiguous(ReadOnlySpan<char> target)
    {
        var path = Path(target);
        if (path.IsEmpty || path[0] != '/')
        {
            return true;
        }

        var beyondAscii = false;
        var segment = 1;
        for (var i = 1; i <= path.Length; i++)
        {
            var c = i < path.Length ? path[i] : '/';
            if (c == '/')
            {
                var name = path[segment..i];
                if (name is "." or ".." || (name.IsEmpty && i < path.Length))
                {
                    return true;
                }

                segment = i + 1;
            }
            else if (c is '\\' or ';' or '#' or <= ' ' or >= '\x7f')
            {
                return true;
            }
            else if (c == '%')
            {
                if (!TryReadOctet(path[i..], out var octet)
                    || octet is (byte)'.' or (byte)'/' or (byte)'\\' or (byte)';' or < 0x20 or 0x7f
                    || (octet == '%' && path.Length > i + 4 && char.IsAsciiHexDigit(path[i + 3]) && char.IsAsciiHexDigit(path[i + 4])))
                {
                    return true;
                }

                beyondAscii |= octet >= 0x80;
                i += 2;
            }
        }

        return beyondAscii && !IsUtf8(path);
    }

    /// <summary>Whether the path leads through this prefix, however it is spelled.</summary>
    public static bool LeadsThrough(ReadOnlySpan<char> target, string prefix)
    {
        var path = Path(target);
        if (path.Contains(prefix, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var plain = Uri.UnescapeDataString(path.ToString()).Replace('\\', '/');
        while (plain.Contains("//", StringComparison.Ordinal) || plain.Contains("/./", StringComparison.Ordinal))
        {
            plain = plain.Replace("//", "/", StringComparison.Ordinal).Replace("/./", "/", StringComparison.Ordinal);
        }

        return plain.Contains(prefix, StringComparison.OrdinalIgnoreCase);
    }

    // Targets may be absolute: "GET http://host/path", and so are some proxies' headers.
    private static ReadOnlySpan<char> Path(ReadOnlySpan<char> target)
    {
        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        if (path.IsEmpty || path[0] == '/' || path.IndexOf("://", StringComparison.Ordinal) is not (> 0 and var scheme))
        {
            return path;
        }

        path = path[(scheme + 3)..];
        var start = path.IndexOf('/');
        return start < 0 ? "/" : path[start..];
    }

    private static bool TryReadOctet(ReadOnlySpan<char> escape, out byte octet)
    {
        octet = 0;
        return escape.Length >= 3 && char.IsAsciiHexDigit(escape[1]) && char.IsAsciiHexDigit(escape[2])
            && byte.TryParse(escape.Slice(1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out octet);
    }

    // Overlong forms of "." and "/" are not UTF-8, yet some servers accept them.
    private static bool IsUtf8(ReadOnlySpan<char> path)
    {
        var octets = new List<byte>(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && TryReadOctet(path[i..], out var octet))
            {
                octets.Add(octet);
                i += 2;
            }
            else
            {
                octets.Add((byte)path[i]);
            }
        }

        return Utf8.IsValid(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(octets));
    }
}
