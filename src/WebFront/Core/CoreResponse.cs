using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>Answers in the protocol's two shapes: JSON, and plain text with a newline.</summary>
internal static class CoreResponse
{
    private const string TextType = "text/html; charset=UTF-8";
    private const string JsonType = "application/json; charset=UTF-8";
    private const int KeptBuffer = 64 * 1024;

    private static readonly JsonWriterOptions WriterOptions = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    /// <summary>200 with an object whose <c>status</c> is given and whose other members <paramref name="fill"/> writes.</summary>
    public static Task WriteAsync<TState>(HttpContext context, string status, TState state, Action<Utf8JsonWriter, TState> fill)
    {
        // One buffer per thread: filled and copied out before anything is awaited.
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(2048);
        var writer = _writer ??= new Utf8JsonWriter(buffer, WriterOptions);
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        writer.WriteStartObject();
        writer.WriteString("status"u8, status);
        fill(writer, state);
        writer.WriteEndObject();
        writer.Flush();
        var task = WriteJsonAsync(context, buffer.WrittenSpan);
        if (buffer.Capacity > KeptBuffer)
        {
            (_buffer, _writer) = (null, null);
        }

        return task;
    }

    /// <summary>200 with nothing but a status.</summary>
    public static Task WriteStatusAsync(HttpContext context, string status) => WriteAsync(context, status, 0, static (_, _) => { });

    /// <summary>200 with a status and a message, which is left out if there is none.</summary>
    public static Task WriteStatusAsync(HttpContext context, string status, string? message) =>
        WriteAsync(context, status, message, static (json, text) => WriteIfAny(json, "message", text));

    /// <summary>An optional member: the protocol leaves out what is not there, it has no nulls for it.</summary>
    public static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    /// <summary>200 with JSON that is ready.</summary>
    public static Task WriteJsonAsync(HttpContext context, ReadOnlySpan<byte> json)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = JsonType;
        response.ContentLength = json.Length;
        response.BodyWriter.Write(json);
        return response.BodyWriter.FlushAsync().AsTask();
    }

    public static async Task WriteTextAsync(HttpContext context, int status, string text)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }

        var body = Encoding.UTF8.GetBytes(text + "\n");
        response.StatusCode = status;
        response.ContentType = TextType;
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body);
    }
}
