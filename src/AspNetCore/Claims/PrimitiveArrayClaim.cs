using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.AspNetCore.Claims;

/// <summary>A claim whose value is a list of strings, numbers or booleans, such as roles.</summary>
/// <param name="key">The claim's name in the payload.</param>
/// <param name="fetch">Fetches the value when it is missing or too old; null if it is only ever set.</param>
/// <param name="maxAge">The age at which it is fetched again; null for never.</param>
public sealed class PrimitiveArrayClaim<T>(string key, Func<ClaimFetch, CancellationToken, ValueTask<IReadOnlyList<T>?>>? fetch = null, TimeSpan? maxAge = null)
    : SessionClaim<IReadOnlyList<T>>(key, fetch, maxAge)
{
    /// <summary>Requires the list to include this value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="maxAge">The oldest value to accept; null for the claim's own limit.</param>
    /// <param name="id">Tells the browser which requirement failed; null for the claim's key.</param>
    public ClaimValidator Includes(T value, TimeSpan? maxAge = null, string? id = null) =>
        One(value, "expectedToInclude", maxAge, id, (there, wanted) => there.Contains(wanted));

    /// <summary>Requires the list not to include this value.</summary>
    /// <inheritdoc cref="Includes"/>
    public ClaimValidator Excludes(T value, TimeSpan? maxAge = null, string? id = null) =>
        One(value, "expectedToNotInclude", maxAge, id, (there, wanted) => !there.Contains(wanted));

    /// <summary>Requires the list to include all of these values.</summary>
    /// <inheritdoc cref="Includes"/>
    public ClaimValidator IncludesAll(IEnumerable<T> values, TimeSpan? maxAge = null, string? id = null) =>
        Many(values, "expectedToInclude", maxAge, id, (there, wanted) => wanted.All(there.Contains));

    /// <summary>Requires the list to include at least one of these values.</summary>
    /// <inheritdoc cref="Includes"/>
    public ClaimValidator IncludesAny(IEnumerable<T> values, TimeSpan? maxAge = null, string? id = null) =>
        Many(values, "expectedToIncludeAtLeastOneOf", maxAge, id, (there, wanted) => wanted.Any(there.Contains));

    /// <summary>Requires the list to include none of these values.</summary>
    /// <inheritdoc cref="Includes"/>
    public ClaimValidator ExcludesAll(IEnumerable<T> values, TimeSpan? maxAge = null, string? id = null) =>
        Many(values, "expectedToNotInclude", maxAge, id, (there, wanted) => !wanted.Any(there.Contains));

    private ClaimValueValidator One(T value, string expectation, TimeSpan? maxAge, string? id, Func<HashSet<string>, string, bool> test)
    {
        var wanted = JsonSerializer.Serialize(value);
        return new ClaimValueValidator(this, id, maxAge ?? MaxAge, expectation, JsonNode.Parse(wanted), actual => test(Items(actual), wanted));
    }

    private ClaimValueValidator Many(IEnumerable<T> values, string expectation, TimeSpan? maxAge, string? id, Func<HashSet<string>, string[], bool> test)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] wanted = [.. values.Select(value => JsonSerializer.Serialize(value))];
        return new ClaimValueValidator(this, id, maxAge ?? MaxAge, expectation, new JsonArray([.. wanted.Select(item => JsonNode.Parse(item))]), actual => test(Items(actual), wanted));
    }

    // Compared by their JSON text as the serialiser writes it. A value that is not a list includes nothing.
    private static HashSet<string> Items(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => JsonSerializer.Serialize(item))] : [];
}
