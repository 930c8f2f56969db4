namespace Grid.Abstractions;

/// <summary>Text that every database gives back as it took it. PostgreSQL keeps no U+0000; half of a surrogate pair is no UTF-8, and SQLite's library would store another character in its place.</summary>
public static class StorableText
{
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
        if (text.Contains('\0'))
        {
            return false;
        }

        // Few texts have any pair at all.
        for (var next = NextSurrogate(text); next >= 0; next = NextSurrogate(text))
        {
            if (!char.IsHighSurrogate(text[next]) || next + 1 == text.Length || !char.IsLowSurrogate(text[next + 1]))
            {
                return false;
            }

            text = text[(next + 2)..];
        }

        return true;
    }

    private static int NextSurrogate(ReadOnlySpan<char> text) => text.IndexOfAnyInRange('\ud800', '\udfff');
}
