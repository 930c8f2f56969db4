using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.WebFront.Upstream;

/// <summary>An answer of the core behind Grid, whole.</summary>
/// <param name="Trouble">Unless it is <see cref="UpstreamTrouble.None"/> there is none.</param>
/// <param name="Status">HTTP.</param>
/// <param name="ContentType">As sent; null if it was not.</param>
/// <param name="Body">As sent.</param>
internal readonly record struct UpstreamAnswer(UpstreamTrouble Trouble, int Status = 0, string? ContentType = null, byte[]? Body = null)
{
    private static readonly JsonNodeOptions Names = new() { PropertyNameCaseInsensitive = false };

    /// <summary>The object that it is; null if it is none.</summary>
    public JsonObject? Json()
    {
        if (Trouble != UpstreamTrouble.None || Status != 200 || Body is null)
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(Body, Names, new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The status word of 200; null for every other answer.</summary>
    public string? Word() => Word(Json());

    /// <summary>Whether it says that the app or tenant of the request is not there. From 3.0 on that is 200 with a word of its own where a tenant is asked for.</summary>
    public bool SaysNotThere() => Word() == "TENANT_NOT_FOUND_ERROR"
        || (Status == 400 && Body is not null && Body.AsSpan().StartsWith("AppId or tenantId not found"u8));

    /// <summary>The same answer, or trouble if it has neither a status word nor says that the tenant is not there: of an error nothing follows.</summary>
    public UpstreamAnswer OrFailing() => Trouble != UpstreamTrouble.None || Word() is not null || SaysNotThere() ? this : new UpstreamAnswer(UpstreamTrouble.Failing);

    /// <summary>The status word of an answer that was read.</summary>
    public static string? Word(JsonObject? json) => Text(json?["status"]);

    /// <summary>A text; null for anything else.</summary>
    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
