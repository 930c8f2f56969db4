using System.Buffers;
using System.Collections.Frozen;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Core;

/// <summary>Splits <c>[/appid-app][/tenant]</c> from a path. Source: <c>docs/protocol/core.md</c>, "Every request".</summary>
/// <param name="AppId">Default <c>public</c>.</param>
/// <param name="TenantId">Default <c>public</c>.</param>
/// <param name="NamesTenant">Whether the path named a tenant.</param>
/// <param name="Rest">The API path, with a leading slash.</param>
internal readonly record struct CorePath(string AppId, string TenantId, bool NamesTenant, string Rest)
{
    /// <summary>Maximum length of an app or tenant id.</summary>
    public const int MaxId = 64;

    private const string AppPrefix = "appid-";

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    /// <summary>First segments of API paths; none of them can be a tenant.</summary>
    public static FrozenSet<string> ReservedWords { get; } = new[]
    {
        "recipe", "users", "user", "config", "hello", "apiversion", "telemetry", "ee", "requests", "appid", "health", "start", "signinup",
        "signin", "signup", "jwt", "session", "bulk-import", "plugin",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static CorePath Parse(string path)
    {
        // URLs that were concatenated by hand have double slashes.
        while (path.Contains("//", StringComparison.Ordinal))
        {
            path = path.Replace("//", "/", StringComparison.Ordinal);
        }

        var rest = path.AsSpan();
        var appId = AppKey.PublicId;
        var tenantId = TenantKey.PublicId;
        var namesTenant = false;
        var segment = First(rest);
        if (segment.Length > AppPrefix.Length && segment.StartsWith(AppPrefix, StringComparison.OrdinalIgnoreCase) && IsId(segment))
        {
            appId = segment[AppPrefix.Length..].ToString().ToLowerInvariant();
            rest = rest[(1 + segment.Length)..];
            segment = First(rest);
        }

        if (segment.Length > 0 && IsId(segment) && !ReservedWords.GetAlternateLookup<ReadOnlySpan<char>>().Contains(segment))
        {
            tenantId = segment.ToString().ToLowerInvariant();
            namesTenant = true;
            rest = rest[(1 + segment.Length)..];
        }

        return new CorePath(appId, tenantId, namesTenant, rest.IsEmpty ? "/" : rest.Length == path.Length ? path : rest.ToString());
    }

    /// <summary>Whether an id consists of letters, digits and hyphens.</summary>
    public static bool IsId(ReadOnlySpan<char> id) =>
        !id.IsEmpty && !id.ContainsAnyExcept(IdCharacters);

    /// <summary>Whether an app or tenant with this id can exist: none begins as an app's part of a path does.</summary>
    public static bool CouldExist(ReadOnlySpan<char> id) => id.Length <= MaxId && IsId(id) && !id.StartsWith(AppPrefix, StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> First(ReadOnlySpan<char> path)
    {
        if (path.IsEmpty || path[0] != '/')
        {
            return [];
        }

        var end = path[1..].IndexOf('/');
        return end < 0 ? path[1..] : path.Slice(1, end);
    }
}
