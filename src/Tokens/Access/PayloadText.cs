using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Grid.Tokens.Access;

/// <summary>Changes of a payload's text. What is not changed stays as it was written: numbers, escapes, order.</summary>
internal static class PayloadText
{
    // The front's own: where its tokens' keys are published. Without it verifiers of later tokens would look elsewhere.
    private const string Issuer = "iss";

    /// <summary>Sets members, and removes those that are null. The issuer stays as the front made it.</summary>
    /// <param name="payloadJson">A JSON object without a member twice.</param>
    /// <param name="changesJson">Another.</param>
    public static string Merge(string payloadJson, string changesJson)
    {
        using var payload = JsonDocument.Parse(payloadJson);
        using var changes = JsonDocument.Parse(changesJson);
        var all = changes.RootElement.EnumerateObject().ToDictionary(member => member.Name, StringComparer.Ordinal);
        var merged = new ObjectText();
        foreach (var member in payload.RootElement.EnumerateObject())
        {
            if (!all.Remove(member.Name, out var change) || member.Name == Issuer)
            {
                merged.Add(member);
            }
            else if (change.Value.ValueKind != JsonValueKind.Null)
            {
                merged.Add(change);
            }
        }

        foreach (var member in changes.RootElement.EnumerateObject().Where(member => all.ContainsKey(member.Name) && member.Value.ValueKind != JsonValueKind.Null))
        {
            merged.Add(member);
        }

        return merged.ToString();
    }

    /// <summary>Puts another payload in its place. The issuer stays as the front made it.</summary>
    /// <inheritdoc cref="Merge" path="/param"/>
    public static string Replace(string payloadJson, string changesJson)
    {
        using var payload = JsonDocument.Parse(payloadJson);
        if (!payload.RootElement.TryGetProperty(Issuer, out _))
        {
            return changesJson;
        }

        using var changes = JsonDocument.Parse(changesJson);
        var replaced = new ObjectText();
        replaced.Add(payload.RootElement.EnumerateObject().First(member => member.NameEquals(Issuer)));
        foreach (var member in changes.RootElement.EnumerateObject().Where(member => !member.NameEquals(Issuer)))
        {
            replaced.Add(member);
        }

        return replaced.ToString();
    }

    private sealed class ObjectText
    {
        private readonly ArrayBufferWriter<byte> _text = new(256);

        public void Add(JsonProperty member)
        {
            _text.Write(_text.WrittenCount == 0 ? "{\""u8 : ",\""u8);
            _text.Write(JsonMarshal.GetRawUtf8PropertyName(member));
            _text.Write("\":"u8);
            _text.Write(JsonMarshal.GetRawUtf8Value(member.Value));
        }

        public override string ToString() => _text.WrittenCount == 0 ? "{}" : Encoding.UTF8.GetString(_text.WrittenSpan) + "}";
    }
}
