using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Grid.WebFront.Admission;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>A request's JSON object. A field of the wrong type is refused like a missing one; unknown fields are ignored.</summary>
internal sealed class CoreBody : IDisposable
{
    /// <summary>Largest body, in bytes.</summary>
    public const int MaxSize = 1024 * 1024;

    /// <summary>Maximum size of a text field, in bytes as sent. Only objects, which are stored as they are, may be larger.</summary>
    public const int MaxText = 64 * 1024;

    private const int MaxDepth = 32;
    private const string Invalid = "Invalid Json Input";

    /// <summary>Why a body beyond <see cref="MaxSize"/> is refused.</summary>
    public const string TooLarge = "Request body is too large: it may have 1 MiB";

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private readonly JsonDocument _document;
    private readonly byte[] _bytes;

    private CoreBody(JsonDocument document, byte[] bytes) => (_document, _bytes) = (document, bytes);

    public static async Task<CoreBody> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength > MaxSize)
        {
            throw new CoreException(StatusCodes.Status413PayloadTooLarge, TooLarge);
        }

        var bytes = ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? 4096) + 1);
        try
        {
            var length = 0;
            int read;
            while ((read = await request.Body.ReadAsync(bytes.AsMemory(length), context.RequestAborted)) > 0)
            {
                length += read;
                if (length > MaxSize)
                {
                    throw new CoreException(StatusCodes.Status413PayloadTooLarge, TooLarge);
                }

                if (length == bytes.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(length * 2);
                    bytes.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(bytes);
                    bytes = larger;
                }
            }

            // If the client has gone already, it stops here. Once an operation has begun it is completed.
            AdmissionDoor.Enter(context);
            return new CoreBody(Parse(bytes.AsMemory(0, length)), bytes);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(bytes);
            throw;
        }
    }

    public bool Has(string name) => _document.RootElement.TryGetProperty(name, out _);

    public string String(string name) => StringOrNull(name) ?? throw CoreException.BadField(name);

    public string? StringOrNull(string name) =>
        !TryGet(name, out var value) ? null
        : ReadText(name, value);

    public bool Bool(string name) => BoolOrNull(name) ?? throw CoreException.BadField(name);

    public bool? BoolOrNull(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw CoreException.BadField(name);

    /// <summary>As SuperTokens' core reads some switches: <c>true</c> in any case, also as text, is true, every other value false.</summary>
    public bool? SwitchOrNull(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Number => false,
            JsonValueKind.String => CoreQuery.IsTrue(ReadText(name, value)),
            _ => throw CoreException.BadField(name),
        };

    public long? LongOrNull(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw CoreException.BadField(name);

    /// <summary>A JSON object's text, exactly as sent.</summary>
    public string Object(string name) => ObjectOrNull(name) ?? throw CoreException.BadField(name);

    public string? ObjectOrNull(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Object ? value.GetRawText()
        : throw CoreException.BadField(name);

    /// <summary>An array of strings; null if absent.</summary>
    /// <param name="name">The field's.</param>
    /// <param name="max">Maximum number of items. Checked first, so that a longer array costs nothing.</param>
    /// <param name="given">Distinguishes absent from null.</param>
    public string[]? StringsOrNull(string name, int max, out bool given)
    {
        given = _document.RootElement.TryGetProperty(name, out var value);
        if (!given || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw CoreException.BadField(name);
        }

        var strings = new string[CheckedLength(name, value, max)];
        var read = 0;

        // Enumerated, never indexed: an index is found by walking from the front wherever an array holds arrays or objects.
        foreach (var item in value.EnumerateArray())
        {
            strings[read++] = ReadText(name, item);
        }

        return strings;
    }

    public void Dispose()
    {
        _document.Dispose();
        ArrayPool<byte>.Shared.Return(_bytes);
    }

    private static int CheckedLength(string name, JsonElement array, int max) => array.GetArrayLength() is var length && length <= max
        ? length
        : throw new CoreException(400, $"Field name '{name}' may hold at most {max} items");

    // The size is checked before the text is copied.
    private static string ReadText(string name, JsonElement value) =>
        value.ValueKind != JsonValueKind.String ? throw CoreException.BadField(name)
        : JsonMarshal.GetRawUtf8Value(value).Length <= MaxText + 2 ? value.GetString()!
        : throw new CoreException(400, $"Field name '{name}' is invalid in JSON input: a text may have {MaxText} bytes");

    /// <summary>Parses a JSON object that can be stored.</summary>
    /// <exception cref="CoreException">It is not a JSON object that can be stored.</exception>
    internal static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        if (!Utf8.IsValid(bytes.Span))
        {
            throw new CoreException(400, Invalid);
        }

        try
        {
            RefuseUnstorableStrings(bytes.Span);
            var document = JsonDocument.Parse(bytes, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // Not JSON, nested too deeply, a duplicate member, or an unpaired surrogate.
        }

        throw new CoreException(400, IsTooDeep(bytes.Span) ? $"{Invalid}: it may be nested {MaxDepth} levels deep" : Invalid);
    }

    private static bool IsTooDeep(ReadOnlySpan<byte> bytes)
    {
        var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (json.Read())
            {
                // CurrentDepth is that of the start token itself, not of its content.
                if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && json.CurrentDepth >= MaxDepth)
                {
                    return true;
                }
            }
        }
        catch (JsonException)
        {
            // Invalid before it was too deep.
        }

        return false;
    }

    // Only escapes can hide U+0000 and lone surrogates, and few bodies have any.
    private static void RefuseUnstorableStrings(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IndexOf("\\u"u8) < 0)
        {
            return;
        }

        var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && json.ValueIsEscaped
                && json.GetString()!.Contains('\0', StringComparison.Ordinal))
            {
                throw new CoreException(400, Invalid);
            }
        }
    }

    private bool TryGet(string name, out JsonElement value) =>
        _document.RootElement.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
