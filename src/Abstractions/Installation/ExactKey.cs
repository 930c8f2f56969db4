using System.Globalization;

namespace Grid.Abstractions.Installation;

/// <summary>How a grain's key is stored with its state, so that no two keys share a row.</summary>
/// <remarks>
/// Orleans' storage treats a key that reads as a hexadecimal number or a GUID as that number: <c>a1</c>, <c>A1</c> and <c>0a1</c>
/// would share a row, and three apps be one. So every spelling of a number except the plain one gets a mark that no number has.
/// </remarks>
public static class ExactKey
{
    private const char Mark = '=';

    /// <summary>The key to store under.</summary>
    public static string ToStored(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var id = GrainId.Create("any", key);
        return key[0] == Mark || id.TryGetGuidKey(out _, out _) || (id.TryGetIntegerKey(out var number, out _) && Text(number) != key) ? Mark + key : key;
    }

    /// <summary>The columns of a key's row.</summary>
    /// <returns>The text, null if the row has the number.</returns>
    public static (string? Text, long Number) ToColumns(string key)
    {
        var stored = ToStored(key);
        return GrainId.Create("any", stored).TryGetIntegerKey(out var number, out _) ? (null, number) : (stored, 0);
    }

    /// <summary>The key of a row.</summary>
    public static string FromColumns(string? text, long number) => text is not { Length: > 0 } ? Text(number) : text[0] == Mark ? text[1..] : text;

    private static string Text(long number) => number.ToString("x", CultureInfo.InvariantCulture);
}
