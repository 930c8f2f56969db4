using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.AspNetCore.Claims;

/// <summary>What a function that fetches a claim is given.</summary>
/// <param name="UserId">The session's user.</param>
/// <param name="TenantId">The session's tenant.</param>
/// <param name="Payload">The session's claims so far.</param>
/// <param name="Services">The request's services.</param>
public sealed record ClaimFetch(string UserId, string TenantId, JsonElement Payload, IServiceProvider Services);

/// <summary>A claim stored in the access token as <c>{"v": value, "t": milliseconds}</c>, as the browser SDKs read it.</summary>
public abstract class SessionClaim(string key)
{
    /// <summary>The claim's name in the payload, e.g. <c>st-role</c>.</summary>
    public string Key { get; } = key;

    /// <summary>When its value was fetched; null if it never was.</summary>
    public DateTimeOffset? FetchedAt(JsonElement payload) =>
        TryGetEntry(payload, out var entry) && entry.TryGetProperty("t"u8, out var time) && time.TryGetInt64(out var milliseconds)
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    /// <summary>Fetches the value; null if there is none.</summary>
    internal abstract ValueTask<JsonNode?> FetchAsync(ClaimFetch whose, CancellationToken cancellationToken);

    /// <summary>The value as stored in the payload.</summary>
    internal bool TryGetValue(JsonElement payload, out JsonElement value)
    {
        value = default;
        return TryGetEntry(payload, out var entry) && entry.TryGetProperty("v"u8, out value) && value.ValueKind != JsonValueKind.Undefined;
    }

    /// <summary>The claim's entry in a payload.</summary>
    internal static JsonObject Entry(JsonNode? value, DateTimeOffset now) => new() { ["v"] = value, ["t"] = now.ToUnixTimeMilliseconds() };

    private bool TryGetEntry(JsonElement payload, out JsonElement entry)
    {
        entry = default;
        return payload.ValueKind == JsonValueKind.Object && payload.TryGetProperty(Key, out entry) && entry.ValueKind == JsonValueKind.Object;
    }
}

/// <summary>A claim whose value has a certain type.</summary>
/// <param name="key">The claim's name in the payload.</param>
/// <param name="fetch">Fetches the value when it is missing or too old; null if it is only ever set.</param>
/// <param name="maxAge">The age at which it is fetched again unless a validator says otherwise; null for never.</param>
public abstract class SessionClaim<T>(string key, Func<ClaimFetch, CancellationToken, ValueTask<T?>>? fetch, TimeSpan? maxAge) : SessionClaim(key)
{
    /// <summary>The age at which it is fetched again; null for never.</summary>
    public TimeSpan? MaxAge { get; } = maxAge;

    /// <summary>The value in a payload; the default if it is missing or has another type.</summary>
    public T? Get(JsonElement payload)
    {
        try
        {
            return TryGetValue(payload, out var value) ? value.Deserialize<T>() : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    internal override async ValueTask<JsonNode?> FetchAsync(ClaimFetch whose, CancellationToken cancellationToken) =>
        fetch is not null && await fetch(whose, cancellationToken) is { } value ? JsonSerializer.SerializeToNode(value) : null;
}
