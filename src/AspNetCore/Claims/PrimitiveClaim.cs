using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.AspNetCore.Claims;

/// <summary>A claim whose value is a string, a number or a boolean.</summary>
/// <param name="key">Its name in the payload.</param>
/// <param name="fetch">Finds the value when it is missing or too old; null: it is only ever set.</param>
/// <param name="maxAge">From which age it is fetched again; null: never.</param>
public class PrimitiveClaim<T>(string key, Func<ClaimFetch, CancellationToken, ValueTask<T?>>? fetch = null, TimeSpan? maxAge = null) : SessionClaim<T>(key, fetch, maxAge)
{
    /// <summary>Requires this value, not older than <paramref name="maxAge"/> (null: the claim's).</summary>
    /// <param name="value">Which.</param>
    /// <param name="maxAge">Oldest that will do.</param>
    /// <param name="id">By which the browser knows the requirement; null: the claim's key.</param>
    public ClaimValidator HasValue(T value, TimeSpan? maxAge = null, string? id = null)
    {
        var expected = JsonSerializer.SerializeToNode(value);
        return new ClaimValueValidator(this, id, maxAge ?? MaxAge, "expectedValue", expected, actual => JsonNode.DeepEquals(expected, JsonNode.Parse(actual.GetRawText())));
    }
}

/// <summary>A claim that is true or false.</summary>
/// <inheritdoc/>
public sealed class BooleanClaim(string key, Func<ClaimFetch, CancellationToken, ValueTask<bool>>? fetch = null, TimeSpan? maxAge = null) : PrimitiveClaim<bool>(key, fetch, maxAge)
{
    /// <summary>Requires true.</summary>
    public ClaimValidator IsTrue(TimeSpan? maxAge = null, string? id = null) => HasValue(true, maxAge, id);

    /// <summary>Requires false.</summary>
    public ClaimValidator IsFalse(TimeSpan? maxAge = null, string? id = null) => HasValue(false, maxAge, id);
}
