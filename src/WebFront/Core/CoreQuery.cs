using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>Query parameters: each at most once.</summary>
internal static class CoreQuery
{
    public static string Required(HttpContext context, string name) => Optional(context, name) ?? throw CoreException.MissingQuery(name);

    public static string? Optional(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return values.Count switch
        {
            0 => null,
            1 when !values[0]!.Contains('\0', StringComparison.Ordinal) => values[0],
            _ => throw CoreException.BadQuery(name),
        };
    }

    /// <summary><c>true</c> in any case is true, and every other value false; null if absent.</summary>
    public static bool? OptionalSwitch(HttpContext context, string name) => Optional(context, name) is { } text ? IsTrue(text) : null;

    /// <summary>Whether a text says <c>true</c>, in any case.</summary>
    public static bool IsTrue(string? text) => string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);
}
