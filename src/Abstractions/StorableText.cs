using System.Buffers;

namespace Grid.Abstractions;

/// <summary>Text that every database gives back as it took it. PostgreSQL keeps no U+0000; half of a surrogate pair is no UTF-8, and SQLite's library would store another character in its place.</summary>
public static class StorableText
{
    private static readonly SearchValues<char> Suspicious = SearchValues.Create(
        ['\0', .. Enumerable.Range(0xD800, 0x800).Select(surrogate => (char)surrogate)]);

    /// <param name="text">The value; null passes.</param>
    /// <param name="field">Whose value it is, for the message.</param>
    /// <exception cref="UnstorableValueException">The text has U+0000 or half of a surrogate pair in it.</exception>
    public static void Require(string? text, string field)
    {
        if (text is not null && !IsStorable(text))
        {
            throw new UnstorableValueException($"{field} has a character in it that cannot be stored: U+0000, or half of a surrogate pair.");
        }
    }

    /// <summary>Whether <see cref="Require"/> lets it pass.</summary>
    public static bool IsStorable(ReadOnlySpan<char> text)
    {
        for (var next = text.IndexOfAny(Suspicious); next >= 0; next = text.IndexOfAny(Suspicious))
        {
            if (!char.IsHighSurrogate(text[next]) || next + 1 == text.Length || !char.IsLowSurrogate(text[next + 1]))
            {
                return false;
            }

            text = text[(next + 2)..];
        }

        return true;
    }
}
