using System.Text.Json;
using System.Text.Json.Serialization;
using Grid.Revocation.Holders;

namespace Grid.Revocation.Relay.Wire;

/// <summary>Kinds of messages between a service and the silo that it is connected to. Numbers in <see cref="HolderMessage.N"/> tie answers to requests.</summary>
internal static class HolderMessageType
{
    /// <summary>From the service, first: incarnation, name, perhaps a former incarnation that it has forgotten, with the secret that came with it.</summary>
    public const string Register = "register";

    /// <summary>The answer: app, lease, mode, keys revoked so far, and a secret that proves that this incarnation is its own.</summary>
    public const string Registered = "registered";

    /// <summary>From the service: a renewal; its lease counts from before this left.</summary>
    public const string Renew = "renew";

    /// <summary>The answer: everything that the renewal read was sent before.</summary>
    public const string Renewed = "renewed";

    /// <summary>To the service: entries of its app.</summary>
    public const string Entries = "entries";

    /// <summary>The answer: applied.</summary>
    public const string Confirm = "confirm";

    /// <summary>From the service: does this session live?</summary>
    public const string Look = "look";

    /// <summary>The answer, from the store: the session, or none.</summary>
    public const string Looked = "looked";

    /// <summary>The answer where there is none, and why: the store gave none, or what was asked makes no sense.</summary>
    public const string Failed = "failed";

    /// <summary>To the service, last: its incarnation is over, and why.</summary>
    public const string Lost = "lost";

    /// <summary>From the service, last: it has stopped accepting sessions.</summary>
    public const string Leave = "leave";
}

/// <summary>One message, a JSON object; members that do not belong to its kind are absent.</summary>
internal sealed record HolderMessage
{
    public required string Type { get; init; }

    public long N { get; init; }

    public Guid? Incarnation { get; init; }

    public Guid? Former { get; init; }

    /// <summary>With <see cref="HolderMessageType.Registered"/> that of the incarnation, with <see cref="HolderMessageType.Register"/> that of <see cref="Former"/>.</summary>
    public string? Secret { get; init; }

    public string? Name { get; init; }

    public string? App { get; init; }

    /// <summary>With <see cref="HolderMessageType.Register"/> the service's, with <see cref="HolderMessageType.Registered"/> the silo's (<see cref="Registry.HolderProtocol"/>); absent: the first.</summary>
    public int? Protocol { get; init; }

    public int? LeaseMs { get; init; }

    /// <summary>Whether the app accepts valid tokens while their sessions cannot be checked.</summary>
    public bool? Bounded { get; init; }

    public IReadOnlyList<string>? RevokedKeys { get; init; }

    public IReadOnlyList<HolderEntry>? Entries { get; init; }

    /// <summary>With <see cref="Id"/>, a session of the connection's app.</summary>
    public string? Tenant { get; init; }

    /// <summary>On the wire <c>session</c>: the handle's UUID. <see cref="SessionOf"/> names the session in full.</summary>
    [JsonPropertyName("session")]
    public Guid? Id { get; init; }

    public string? UserId { get; init; }

    public long? Epoch { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>For people.</summary>
    public string? Reason { get; init; }

    /// <summary>It came as an object of which only type and number could be read.</summary>
    [JsonIgnore]
    public bool IsMalformed { get; init; }

    /// <summary>The session that is named; null if none is.</summary>
    public SessionName? SessionOf(string app) => Tenant is { } tenant && Id is { } id ? new SessionName(app, tenant, id) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 8, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(HolderMessage))]
internal sealed partial class HolderJson : JsonSerializerContext
{
    /// <summary>Reads a message. One that has a type, but members that do not fit, is marked as such, so that it can be answered by its number.</summary>
    /// <exception cref="JsonException">That was no message at all.</exception>
    public static HolderMessage Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.HolderMessage) ?? throw new JsonException("A message is an object.");
        }
        catch (JsonException)
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement is { ValueKind: JsonValueKind.Object } message && message.TryGetProperty("type"u8, out var type) && type.ValueKind == JsonValueKind.String
                ? new HolderMessage
                {
                    Type = TypeOf(type),
                    N = message.TryGetProperty("n"u8, out var n) && n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out var number) ? number : 0,
                    IsMalformed = true,
                }
                : throw new JsonException("A message is an object with a type.");
        }
    }

    // Half a surrogate pair is no text.
    private static string TypeOf(JsonElement type)
    {
        try
        {
            return type.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }
}
