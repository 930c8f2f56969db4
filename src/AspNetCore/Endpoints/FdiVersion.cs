using Microsoft.Extensions.Primitives;

namespace Grid.AspNetCore.Endpoints;

/// <summary>Versions of the front-end driver interface. Their differences do not concern sessions.</summary>
internal static class FdiVersion
{
    public static IReadOnlyList<string> Supported { get; } = ["1.17", "1.18", "1.19", "2.0", "3.0", "3.1", "4.0", "4.1", "4.2"];

    /// <summary>
    /// The header's text if it names versions of which none is supported; otherwise null. Clients list the versions that they support.
    /// </summary>
    public static string? Refused(StringValues header)
    {
        var text = header.ToString();
        return text.Length == 0 || text.Split(',', StringSplitOptions.TrimEntries).Any(Supported.Contains) ? null : Printable(text);
    }

    private static string Printable(string text) => new([.. text.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or ',' or ' ').Take(60)]);
}
