using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Grid.Client.CoreApi;

/// <summary>
/// An answer from the core API. Every member may be missing: the server at that address may not be Grid, or not this version.
/// </summary>
internal record CoreAnswer
{
    public string? Status { get; init; }

    public string? Message { get; init; }
}

/// <summary>Of a create, a refresh or a regeneration.</summary>
internal sealed record SessionAnswer : CoreAnswer
{
    public SessionPart? Session { get; init; }

    public TokenPart? AccessToken { get; init; }

    public TokenPart? RefreshToken { get; init; }

    public string? AntiCsrfToken { get; init; }

    public string? RecentTokenReuseSubtype { get; init; }
}

/// <summary>Which session an answer is about.</summary>
internal sealed record SessionPart
{
    public string? Handle { get; init; }

    public string? UserId { get; init; }

    public string? RecipeUserId { get; init; }

    public string? TenantId { get; init; }

    public JsonElement? UserDataInJWT { get; init; }
}

/// <summary>A token; times in milliseconds since 1970.</summary>
internal sealed record TokenPart
{
    public string? Token { get; init; }

    public long? Expiry { get; init; }

    public long? CreatedTime { get; init; }
}

/// <summary>A JWT that was signed.</summary>
internal sealed record JwtAnswer : CoreAnswer
{
    public string? Jwt { get; init; }
}

/// <summary>What is stored about a session.</summary>
internal sealed record StoredAnswer : CoreAnswer
{
    public string? SessionHandle { get; init; }

    public string? UserId { get; init; }

    public string? RecipeUserId { get; init; }

    public string? TenantId { get; init; }

    public JsonElement? UserDataInJWT { get; init; }

    public JsonElement? UserDataInDatabase { get; init; }

    public long? TimeCreated { get; init; }

    public long? Expiry { get; init; }
}

/// <summary>A user's sessions.</summary>
internal sealed record ListAnswer : CoreAnswer
{
    public IReadOnlyList<string?>? SessionHandles { get; init; }
}

/// <summary>An acknowledged revocation.</summary>
internal sealed record RevokedAnswer : CoreAnswer
{
    public IReadOnlyList<string?>? SessionHandlesRevoked { get; init; }

    public long? Position { get; init; }

    public double? Milliseconds { get; init; }

    public HoldersPart? Holders { get; init; }
}

/// <summary>The supported versions; has no status.</summary>
internal sealed record VersionsAnswer : CoreAnswer
{
    public IReadOnlyList<string?>? Versions { get; init; }
}

/// <summary>Which processes confirmed a revocation.</summary>
internal sealed record HoldersPart
{
    public int? Confirmed { get; init; }

    public int? WaitedOut { get; init; }

    public int? Excluded { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CoreAnswer))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(StoredAnswer))]
[JsonSerializable(typeof(ListAnswer))]
[JsonSerializable(typeof(RevokedAnswer))]
[JsonSerializable(typeof(JwtAnswer))]
[JsonSerializable(typeof(VersionsAnswer))]
internal sealed partial class CoreAnswerJson : JsonSerializerContext;

/// <summary>Reads required members of an answer.</summary>
internal static class CoreAnswerMembers
{
    /// <exception cref="GridException">It is missing.</exception>
    public static T Needed<T>(this T? member, [CallerArgumentExpression(nameof(member))] string? name = null)
        where T : class => member ?? throw Lacks(name);

    /// <inheritdoc cref="Needed{T}(T, string)"/>
    public static T Needed<T>(this T? member, [CallerArgumentExpression(nameof(member))] string? name = null)
        where T : struct => member ?? throw Lacks(name);

    /// <inheritdoc cref="Needed{T}(T, string)"/>
    public static string[] AllNeeded(this IReadOnlyList<string?>? members, [CallerArgumentExpression(nameof(members))] string? name = null) =>
        [.. members.Needed(name).Select(member => member ?? throw Lacks(name))];

    /// <summary>A time that is sent in milliseconds since 1970.</summary>
    /// <exception cref="GridException">It is missing or out of range.</exception>
    public static DateTimeOffset NeededTime(this long? milliseconds, [CallerArgumentExpression(nameof(milliseconds))] string? name = null)
    {
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds.Needed(name));
        }
        catch (ArgumentOutOfRangeException failure)
        {
            throw NoTime(name, failure);
        }
    }

    /// <summary>A duration that is sent in milliseconds.</summary>
    /// <inheritdoc cref="NeededTime"/>
    public static TimeSpan NeededSpan(this double? milliseconds, [CallerArgumentExpression(nameof(milliseconds))] string? name = null)
    {
        try
        {
            return TimeSpan.FromMilliseconds(milliseconds.Needed(name));
        }
        catch (Exception failure) when (failure is OverflowException or ArgumentException)
        {
            throw NoTime(name, failure);
        }
    }

    private static GridException NoTime(string? name, Exception failure) =>
        new(GridFailure.Refused, $"The core API's answer has a '{MemberName(name)}' that is not a valid time: check that the connection URI leads to Grid's core API.", failure);

    private static GridException Lacks(string? name) => new(
        GridFailure.Refused,
        $"The core API's answer has no '{MemberName(name)}': check that the connection URI leads to Grid's core API and that Grid is at least as new as this client.");

    // "answer.TimeCreated" is timeCreated on the wire, "session.UserId" is session.userId.
    private static string MemberName(string? expression) => string.Join('.', (expression ?? "").Split('.').Where(part => part != "answer").Select(JsonNamingPolicy.CamelCase.ConvertName));
}
