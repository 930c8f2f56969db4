using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grid.WebFront.Upstream;

/// <summary>What a request asks for, byte for byte: Grid's own routing has decoded it and taken parts away.</summary>
internal static class RawTarget
{
    // What another server may read as a separator, or as the end of a path: it would serve another route than the one that Grid saw.
    private static readonly string[] Ambiguous = ["%2f", "%5c", "\\", ";", "%3b", "#"];

    // Not ASCII, but their other case is, at least in some language: i, s and k. The original compares paths in lower case.
    private static readonly SearchValues<char> TakenForAscii = SearchValues.Create("\u0130\u0131\u017F\u212A");

    /// <summary>Path and query as sent, without the prefix of Grid's own paths; null if the path can be read in two ways.</summary>
    public static string? Of(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!raw.StartsWith('/') && Uri.TryCreate(raw, UriKind.Absolute, out var whole))
        {
            raw = whole.PathAndQuery;
        }

        var end = raw.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = end < 0 ? (raw, "") : (raw[..end], raw[end..]);
        if (!path.StartsWith('/') || Ambiguous.Any(part => path.Contains(part, StringComparison.OrdinalIgnoreCase)) || HasDots(path)
            || context.Request.Path.Value.AsSpan().ContainsAny(TakenForAscii))
        {
            return null;
        }

        var prefix = context.Request.PathBase.Value ?? "";
        return path.Length >= prefix.Length && path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && (path.Length == prefix.Length || path[prefix.Length] == '/')
            ? (path.Length == prefix.Length ? "/" : path[prefix.Length..]) + query
            : null;
    }

    // Segments that mean "here" and "above", written in whatever way.
    private static bool HasDots(string path) => path.Contains('.', StringComparison.Ordinal) || path.Contains("%2e", StringComparison.OrdinalIgnoreCase)
        ? path.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase).Split('/').Any(segment => segment is "." or "..")
        : false;
}
