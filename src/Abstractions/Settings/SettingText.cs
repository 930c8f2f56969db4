using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Grid.Abstractions.Settings;

/// <summary>Values as Grid's own settings hold them: text.</summary>
public static class SettingText
{
    /// <summary>Reads and checks a value.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="text">Text from the configuration.</param>
    /// <param name="value">A string (also the name of a choice), int, long, double, bool or TimeSpan.</param>
    /// <param name="error">What is wrong, naming the setting and the repair; never a secret.</param>
    public static bool TryRead(Setting setting, string text, [NotNullWhen(true)] out object? value, out string? error)
    {
        ArgumentNullException.ThrowIfNull(setting);
        ArgumentNullException.ThrowIfNull(text);
        value = Parse(setting, text);
        error = value is null ? $"{setting.AllNames} must be {Words(setting)}{(setting.IsSecret ? "" : $"; '{text}' is not")}." : WhyNot(setting, value, setting.AllNames) is { } why ? why + "." : null;
        return error is null && value is not null;
    }

    /// <summary>Writes a value so that <see cref="TryRead"/> reads it back.</summary>
    public static string Write(object? value) => value switch
    {
        null => "",
        TimeSpan duration => SettingDuration.Write(duration),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string? WhyNot(Setting setting, object value, string name)
    {
        if (value is string { Length: var length } && setting is { Type: SettingType.Text, Max: { } longest } && length > int.Parse(longest, CultureInfo.InvariantCulture))
        {
            return $"{name} must have at most {longest} characters";
        }

        return !IsInRange(setting, value) ? $"{name} must lie between {setting.Min} and {setting.Max}"
            : setting.Check?.Invoke(value) is { } why ? $"{name}{(IsSentence(setting, why) ? ":" : "")} {why}"
            : null;
    }

    /// <summary>Whether a message already names the setting.</summary>
    internal static bool IsSentence(Setting setting, string why) => char.IsUpper(why[0]) || (setting.CoreConfigKey is { } key && why.StartsWith(key, StringComparison.Ordinal));

    internal static bool IsInRange(Setting setting, object value) =>
        setting.Type is SettingType.Text or SettingType.Choice or SettingType.Flag
        || ((setting.Min is not { } min || Comparer<object>.Default.Compare(value, Parse(setting, min)) >= 0)
            && (setting.Max is not { } max || Comparer<object>.Default.Compare(value, Parse(setting, max)) <= 0));

    internal static object? Parse(Setting setting, string text) => setting.Type switch
    {
        SettingType.Text => text,
        SettingType.Whole when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        SettingType.WideWhole when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        SettingType.Number when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        SettingType.Flag when bool.TryParse(text, out var flag) => flag,
        SettingType.Duration when SettingDuration.TryParse(text, out var duration) => duration,
        SettingType.Choice => setting.Choices.FirstOrDefault(choice => choice.Is(text.Trim()))?.Name,
        _ => null,
    };

    private static string Words(Setting setting) => setting.Type switch
    {
        SettingType.Whole or SettingType.WideWhole => "a whole number",
        SettingType.Number => "a number",
        SettingType.Flag => "true or false",
        SettingType.Duration => "a duration with its unit, such as 500ms, 30s, 15m, 1h or 100d, or as [d.]hh:mm:ss",
        SettingType.Choice => $"one of {string.Join(", ", setting.Choices.Select(choice => choice.Name))}",
        _ => "a text",
    };
}
