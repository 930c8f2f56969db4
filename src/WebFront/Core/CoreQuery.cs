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

    public static bool? OptionalBool(HttpContext context, string name) => Optional(context, name) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        _ => throw CoreException.BadQuery(name),
    };
}
