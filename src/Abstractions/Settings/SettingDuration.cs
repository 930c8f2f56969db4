using System.Globalization;

namespace Grid.Abstractions.Settings;

/// <summary>Durations as operators write them. A bare number is refused: 60 could be seconds, minutes or days.</summary>
public static class SettingDuration
{
    private static readonly (string Name, double Milliseconds)[] Units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <summary>Reads <c>15m</c>, <c>1.5h</c>, <c>100d</c>, <c>500ms</c>, or <c>[d.]hh:mm:ss[.fffffff]</c>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim();
        foreach (var (name, milliseconds) in Units)
        {
            if (text.EndsWith(name, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - name.Length), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                return TryMultiply(number, TimeSpan.FromMilliseconds(milliseconds), out duration);
            }
        }

        // Two colons: "60" would be days, "01:00" hours and minutes or minutes and seconds.
        duration = default;
        return text.Count(c => c == ':') == 2 && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out duration);
    }

    /// <summary>Writes it with the largest unit of which it is a whole number.</summary>
    public static string Write(TimeSpan duration)
    {
        var (name, size) = Units.LastOrDefault(unit => duration.TotalMilliseconds % unit.Milliseconds == 0, ("", 0));
        return size == 0 ? duration.ToString("c", CultureInfo.InvariantCulture)
            : duration == TimeSpan.Zero ? "0s"
            : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds / size}{name}");
    }

    internal static bool TryMultiply(double number, TimeSpan unit, out TimeSpan duration)
    {
        var ticks = number * unit.Ticks;
        var fits = double.IsFinite(ticks) && Math.Abs(ticks) < TimeSpan.MaxValue.Ticks;
        duration = fits ? TimeSpan.FromTicks((long)Math.Round(ticks)) : default;
        return fits;
    }
}
