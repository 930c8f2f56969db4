using System.Globalization;
using System.Text;

namespace Grid.Abstractions;

/// <summary>Other people's strings for a log line: data, and nothing that a terminal or a reader of lines would act on.</summary>
public static class LogText
{
    private const int MaxLength = 128;

    /// <summary>Control and format characters, line separators, halves of surrogate pairs and backslashes are escaped; what is long is cut.</summary>
    public static string Of(string? value)
    {
        if (value is null)
        {
            return "-";
        }

        var isCut = value.Length > MaxLength;
        var text = isCut ? value[..MaxLength] : value;
        StringBuilder? escaped = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) && !IsEscaped(CharUnicodeInfo.GetUnicodeCategory(text, i)))
            {
                escaped?.Append(text[i]).Append(text[i + 1]);
                i++;
            }
            else if (text[i] == '\\' || IsEscaped(char.GetUnicodeCategory(text[i])))
            {
                (escaped ??= new StringBuilder(text, 0, i, text.Length + 16)).Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            }
            else
            {
                escaped?.Append(text[i]);
            }
        }

        return (escaped?.ToString() ?? text) + (isCut ? "…" : "");
    }

    private static bool IsEscaped(UnicodeCategory category) => category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
