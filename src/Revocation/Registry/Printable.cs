using System.Globalization;
using System.Text;

namespace Grid.Revocation.Registry;

/// <summary>What others chose, such as the names of services and user ids, for logs: data, and nothing that a terminal or a reader of lines would act on.</summary>
internal static class Printable
{
    /// <summary>The text on one line: whatever is no visible character is escaped, the backslash too, and what is too long is cut.</summary>
    public static string Of(string text, int maxLength = 100)
    {
        ArgumentNullException.ThrowIfNull(text);
        var printable = new StringBuilder(Math.Min(text.Length, maxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            if (printable.Length >= maxLength)
            {
                return printable.Append('…').ToString();
            }

            _ = rune.Value == '\\' || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                ? printable.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}")
                : printable.Append(rune.ToString());
        }

        return printable.ToString();
    }
}
