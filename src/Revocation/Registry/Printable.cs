using System.Globalization;
using System.Text;

namespace Grid.Revocation.Registry;

/// <summary>Makes text from outside (service names, user ids) safe to log: nothing in it can break a line or control a terminal.</summary>
internal static class Printable
{
    /// <summary>The text on one line: invisible characters and backslashes are escaped, and the end is cut off beyond the limit.</summary>
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
