using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.AspNetCore.Claims;

/// <summary>A claim whose value is a string, a number or a boolean.</summary>
/// <param name="key">The claim's name in the payload.</param>
/// <param name="fetch">Fetches the value when it is missing or too old; null if it is only ever set.</param>
/// <param name="maxAge">The age at which it is fetched again; null for never.</param>
public class PrimitiveClaim<T>(string key, Func<ClaimFetch, CancellationToken, ValueTask<T?>>? fetch = null, TimeSpan? maxAge = null) : SessionClaim<T>(key, fetch, maxAge)
{
    /// <summary>Requires the claim to have this value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="maxAge">The oldest value to accept; null for the claim's own limit.</param>
    /// <param name="id">Tells the browser which requirement failed; null for the claim's key.</param>
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
    /// <summary>Requires the claim to be true.</summary>
    public ClaimValidator IsTrue(TimeSpan? maxAge = null, string? id = null) => HasValue(true, maxAge, id);

    /// <summary>Requires the claim to be false.</summary>
    public ClaimValidator IsFalse(TimeSpan? maxAge = null, string? id = null) => HasValue(false, maxAge, id);
}
