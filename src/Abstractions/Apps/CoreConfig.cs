using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>An app's <c>coreConfig</c> after a change.</summary>
public sealed record CoreConfigResult
{
    /// <summary>Why the change was refused; then nothing else is set.</summary>
    public string? Error { get; init; }

    /// <summary>The app's own values as one JSON object, API keys left out.</summary>
    public string StoredJson { get; init; } = "{}";

    /// <summary>Its values over the installation's.</summary>
    public SessionSettings Settings { get; init; } = new();

    /// <summary>Whether the change spoke of API keys.</summary>
    public bool ApiKeysChanged { get; init; }

    /// <summary>The keys it set; null = taken back, the installation's apply.</summary>
    public ImmutableArray<TokenHash>? OwnApiKeyHashes { get; init; }

    public string? IpAllowRegex { get; init; }

    public string? IpDenyRegex { get; init; }
}

/// <summary>Merges and checks <c>coreConfig</c>. Pure. Source: <c>protocol/core-rules.md</c> §11.</summary>
public static class CoreConfig
{
    private const double MaxAccessTokenSeconds = 86_400_000;
    private const double MaxRefreshTokenMinutes = 100 * 366 * 24 * 60d;

    // As in the original. Without a floor each request would make, and keep, another RSA key that every client has to fetch.
    private const double MinIntervalHours = 1;
    private const double MaxIntervalHours = 100 * 366 * 24d;

    /// <summary>Merges <paramref name="patchJson"/> into <paramref name="currentJson"/>; null values delete keys.</summary>
    /// <param name="currentJson">What is stored; null or empty = nothing.</param>
    /// <param name="patchJson">A valid JSON object.</param>
    /// <param name="defaults">Apply where the app sets nothing.</param>
    public static CoreConfigResult Apply(string? currentJson, string patchJson, AppDefaults defaults)
    {
        ArgumentNullException.ThrowIfNull(defaults);
        var config = JsonNode.Parse(string.IsNullOrEmpty(currentJson) ? "{}" : currentJson)!.AsObject();
        var result = new CoreConfigResult();
        using var patch = JsonDocument.Parse(patchJson);
        foreach (var member in patch.RootElement.EnumerateObject())
        {
            if (!CoreConfigKeys.All.TryGetValue(member.Name, out var key))
            {
                return Refused($"The key '{member.Name}' is not known; check its spelling against the list of settings");
            }

            // Nothing to match: an empty deny rule would match nothing or everything, depending on who reads it.
            var isNull = member.Value.ValueKind == JsonValueKind.Null
                || (key.Name is CoreConfigKeys.IpAllow or CoreConfigKeys.IpDeny && member.Value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(member.Value.GetString()));
            if (!isNull && !HasType(member.Value, key.Type))
            {
                return Refused($"'{key.Name}' must be of type {WireName(key.Type)}");
            }

            if (key.Name == CoreConfigKeys.ApiKeysKey)
            {
                ImmutableArray<TokenHash> hashes = [];
                string? error = null;
                if (!isNull && !ApiKeys.TryParse(member.Value.GetString()!, out hashes, out error))
                {
                    return Refused(error!);
                }

                result = result with { ApiKeysChanged = true, OwnApiKeyHashes = isNull ? null : hashes };
                continue;
            }

            if (isNull)
            {
                config.Remove(key.Name);
            }
            else
            {
                config[key.Name] = JsonNode.Parse(member.Value.GetRawText());
            }
        }

        return Check(config, defaults) is { } refusal
            ? refusal
            : result with
            {
                StoredJson = config.ToJsonString(),
                Settings = Effective(config, defaults.Settings),
                IpAllowRegex = Rule(config, CoreConfigKeys.IpAllow) ?? defaults.IpAllowRegex,
                IpDenyRegex = Rule(config, CoreConfigKeys.IpDeny) ?? defaults.IpDenyRegex,
            };
    }

    /// <summary>Reads the settings that SuperTokens operators have in their environment: the keys' names in capitals.</summary>
    /// <returns>A patch for <see cref="Apply"/>, or an error that names the variable.</returns>
    public static (string? PatchJson, string? Error) FromEnvironment(IEnumerable<KeyValuePair<string, string?>> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var patch = new JsonObject();
        foreach (var (name, value) in variables)
        {
            if (string.IsNullOrEmpty(value) || name.AsSpan().ContainsAnyInRange('a', 'z') || !CoreConfigKeys.All.TryGetValue(name.ToLowerInvariant(), out var key)
                || !key.IsSessionSetting)
            {
                continue;
            }

            JsonNode? node = key.Type switch
            {
                CoreConfigType.Text => value,
                CoreConfigType.Flag when bool.TryParse(value, out var flag) => flag,
                CoreConfigType.Number when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
                _ => null,
            };
            if (node is null)
            {
                return (null, $"{name} must be a {WireName(key.Type)}.");
            }

            patch[key.Name] = node;
        }

        return (patch.ToJsonString(), null);
    }

    /// <summary>The name of a type in the dashboard's answer.</summary>
    public static string WireName(CoreConfigType type) => type switch
    {
        CoreConfigType.Text => "string",
        CoreConfigType.Number => "number",
        CoreConfigType.Flag => "boolean",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    private static CoreConfigResult Refused(string why) => new() { Error = why };

    private static bool HasType(JsonElement value, CoreConfigType type) => type switch
    {
        CoreConfigType.Text => value.ValueKind == JsonValueKind.String,
        CoreConfigType.Number => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number),
        CoreConfigType.Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => false,
    };

    private static CoreConfigResult? Check(JsonObject config, AppDefaults defaults)
    {
        if (OutOfRange(config, CoreConfigKeys.AccessTokenValidity, v => v is >= 1 and <= MaxAccessTokenSeconds) is { } access)
        {
            return Refused($"'{access}' must be between 1 and 86400000 seconds inclusive");
        }

        if (OutOfRange(config, CoreConfigKeys.RefreshTokenValidity, v => v is > 0 and <= MaxRefreshTokenMinutes) is { } refresh)
        {
            return Refused($"'{refresh}' must be above 0 and at most {MaxRefreshTokenMinutes} minutes");
        }

        if ((OutOfRange(config, CoreConfigKeys.DynamicKeyUpdateInterval, v => v is >= MinIntervalHours and <= MaxIntervalHours)
            ?? OutOfRange(config, CoreConfigKeys.OldDynamicKeyUpdateInterval, v => v is >= MinIntervalHours and <= MaxIntervalHours)) is { } interval)
        {
            return Refused($"'{interval}' must be between {MinIntervalHours} and {MaxIntervalHours} hours inclusive");
        }

        if (OutOfRange(config, CoreConfigKeys.ValidityJitter, v => v is >= 0 and <= 0.25) is { } jitter)
        {
            return Refused($"'{jitter}' must be between 0 and 0.25 inclusive");
        }

        if (OutOfRange(config, CoreConfigKeys.RotationGrace, v => v is >= 0 and <= 300) is { } grace)
        {
            return Refused($"'{grace}' must be between 0 and 300 seconds inclusive");
        }

        if (Text(config, CoreConfigKeys.RecentReuse) is not (null or "TOKEN_THEFT" or "UNAUTHORISED"))
        {
            return Refused($"'{CoreConfigKeys.RecentReuse}' must be one of TOKEN_THEFT, UNAUTHORISED");
        }

        if (Text(config, CoreConfigKeys.StaleBehaviour) is not (null or "STRICT" or "BOUNDED"))
        {
            return Refused($"'{CoreConfigKeys.StaleBehaviour}' must be one of STRICT, BOUNDED");
        }

        foreach (var key in new[] { CoreConfigKeys.IpAllow, CoreConfigKeys.IpDeny })
        {
            if (Rule(config, key) is { } pattern && AddressRule.TryCreate(pattern) is null)
            {
                return Refused($"'{key}' is not a valid regular expression, or one without bounds: write at most 1000 characters, without look-around and back-references");
            }
        }

        var settings = Effective(config, defaults.Settings);
        return settings.RefreshTokenValidity <= settings.AccessTokenValidity
            ? Refused($"'{CoreConfigKeys.RefreshTokenValidity}' must be strictly greater than '{CoreConfigKeys.AccessTokenValidity}'")
            : null;
    }

    private static SessionSettings Effective(JsonObject config, SessionSettings defaults) => defaults with
    {
        AccessTokenValidity = Number(config, CoreConfigKeys.AccessTokenValidity) is { } access ? TimeSpan.FromSeconds(access) : defaults.AccessTokenValidity,
        RefreshTokenValidity = Number(config, CoreConfigKeys.RefreshTokenValidity) is { } refresh ? TimeSpan.FromMinutes(refresh) : defaults.RefreshTokenValidity,
        DynamicKeyUpdateInterval =
            (Number(config, CoreConfigKeys.DynamicKeyUpdateInterval) ?? Number(config, CoreConfigKeys.OldDynamicKeyUpdateInterval)) is { } interval
                ? TimeSpan.FromHours(Math.Max(interval, MinIntervalHours))
                : defaults.DynamicKeyUpdateInterval,
        AccessTokenValidityJitter = Number(config, CoreConfigKeys.ValidityJitter) ?? defaults.AccessTokenValidityJitter,
        RefreshRotationGrace = Number(config, CoreConfigKeys.RotationGrace) is { } grace ? TimeSpan.FromSeconds(grace) : defaults.RefreshRotationGrace,
        RecentReuseAnswer = Text(config, CoreConfigKeys.RecentReuse) switch
        {
            "TOKEN_THEFT" => RecentReuseAnswer.TokenTheft,
            "UNAUTHORISED" => RecentReuseAnswer.Unauthorised,
            _ => defaults.RecentReuseAnswer,
        },
        StaleBehaviour = Text(config, CoreConfigKeys.StaleBehaviour) switch
        {
            "STRICT" => StaleBehaviour.Strict,
            "BOUNDED" => StaleBehaviour.Bounded,
            _ => defaults.StaleBehaviour,
        },
    };

    private static string? OutOfRange(JsonObject config, string key, Predicate<double> isAllowed) =>
        Number(config, key) is { } value && !isAllowed(value) ? key : null;

    private static double? Number(JsonObject config, string key) => config[key]?.GetValue<double>();

    private static string? Text(JsonObject config, string key) => config[key]?.GetValue<string>();

    // What was stored before empty meant unset.
    private static string? Rule(JsonObject config, string key) => Text(config, key) is { } pattern && !string.IsNullOrWhiteSpace(pattern) ? pattern : null;
}
