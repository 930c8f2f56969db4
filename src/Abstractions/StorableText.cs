namespace Grid.Abstractions;

/// <summary>Text that every database returns unchanged. PostgreSQL keeps no U+0000; a lone surrogate is not UTF-8, and SQLite's library would store another character instead.</summary>
public static class StorableText
{
    /// <param name="text">The value; null passes.</param>
    /// <param name="field">Whose value it is, for the message.</param>
    /// <exception cref="UnstorableValueException">The text has U+0000 or a lone surrogate in it.</exception>
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

        // Most texts have no surrogates at all.
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
