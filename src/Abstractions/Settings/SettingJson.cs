using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.Abstractions.Settings;

/// <summary>Values as core config holds them: JSON, durations as numbers of a unit. Conversions and words are the original's.</summary>
public static class SettingJson
{
    /// <summary>Reads and checks a value; strings with a valid value are accepted too.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="name">The name that was used for it.</param>
    /// <param name="json">Not null.</param>
    /// <param name="value">As <see cref="SettingText.TryRead"/> has it.</param>
    /// <param name="error">Why it is refused; null if it is not.</param>
    public static bool TryRead(Setting setting, string name, JsonElement json, [NotNullWhen(true)] out object? value, out string? error)
    {
        ArgumentNullException.ThrowIfNull(setting);
        value = null;

        // A number is no API key, and later messages would not name it.
        if ((setting.IsSecret && json.ValueKind != JsonValueKind.String) || Convert(setting.WireType, json) is not { } converted)
        {
            error = $"'{name}' must be of type {JavaName(setting.WireType)}";
            return false;
        }

        value = ToValue(setting, converted);
        if (value is null || !SettingText.IsInRange(setting, value))
        {
            error = $"'{name}' must be {Range(setting)}";
            return false;
        }

        error = setting.Check?.Invoke(value) is { } why ? (SettingText.IsSentence(setting, why) ? why : $"'{name}' {why}") : null;
        return error is null && value is not null;
    }

    /// <summary>Reads a stored value, perhaps written by an older version with other ranges; null if it cannot be read.</summary>
    public static object? ReadStored(Setting setting, JsonNode stored)
    {
        ArgumentNullException.ThrowIfNull(setting);
        ArgumentNullException.ThrowIfNull(stored);
        using var document = JsonDocument.Parse(stored.ToJsonString());
        var loose = setting.WireType is SettingType.Whole or SettingType.WideWhole && setting.Type == SettingType.Duration ? SettingType.Number : setting.WireType;
        if (Convert(loose, document.RootElement) is not { } converted || ToValue(setting, converted) is not { } value)
        {
            return null;
        }

        if (!SettingText.IsInRange(setting, value))
        {
            var (min, max) = (SettingText.Parse(setting, setting.Min!)!, SettingText.Parse(setting, setting.Max!)!);
            value = Comparer<object>.Default.Compare(value, min) < 0 ? min : max;
        }

        return value;
    }

    /// <summary>A value as core config shows it.</summary>
    public static JsonNode? Write(Setting setting, object? value)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return value switch
        {
            null => null,
            TimeSpan duration => Number(duration / setting.Unit),
            double number => Number(number),
            int number => JsonValue.Create(number),
            long number => JsonValue.Create(number),
            bool flag => JsonValue.Create(flag),
            string choice when setting.Type == SettingType.Choice => JsonValue.Create(setting.Choices.First(one => one.Name == choice).WireName),
            _ => JsonValue.Create(value.ToString()),
        };
    }

    /// <summary>The name of a setting's type in the dashboard's answer.</summary>
    public static string DashboardType(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return setting.WireType switch
        {
            SettingType.Choice => "enum",
            SettingType.Text => "string",
            SettingType.Flag => "boolean",
            _ => "number",
        };
    }

    private static JsonNode Number(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number);

    private static object? Convert(SettingType type, JsonElement json)
    {
        var text = json.ValueKind switch
        {
            JsonValueKind.String => json.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => json.GetRawText(),
            _ => null,
        };
        if (text is null)
        {
            return null;
        }

        switch (type)
        {
            case SettingType.Text or SettingType.Choice:
                return text;
            case SettingType.Flag:
                return json.ValueKind != JsonValueKind.Number && bool.TryParse(text, out var flag) ? flag : null;
        }

        // 7.0 and 7e0 are whole numbers, "7.0" is none: as the original reads them.
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            return null;
        }

        if (type == SettingType.Number)
        {
            return number;
        }

        var isWhole = number == Math.Floor(number) && (json.ValueKind == JsonValueKind.Number || long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));
        return type switch
        {
            SettingType.Whole when isWhole && number is >= int.MinValue and <= int.MaxValue => (int)number,
            SettingType.WideWhole when isWhole && Math.Abs(number) < 9e18 => (long)number,
            _ => null,
        };
    }

    private static object? ToValue(Setting setting, object converted) => setting.Type switch
    {
        SettingType.Duration => SettingDuration.TryMultiply(System.Convert.ToDouble(converted, CultureInfo.InvariantCulture), setting.Unit, out var duration) ? duration : null,
        SettingType.Choice => setting.Choices.FirstOrDefault(choice => choice.Is((string)converted))?.Name,
        _ => converted,
    };

    private static string Range(Setting setting)
    {
        if (setting.Type == SettingType.Choice)
        {
            return $"one of {string.Join(", ", setting.Choices.Select(choice => choice.WireName))}";
        }

        var (min, max) = (Write(setting, SettingText.Parse(setting, setting.Min!)), Write(setting, SettingText.Parse(setting, setting.Max!)));
        var unit = setting.Type != SettingType.Duration ? "" : setting.Unit.TotalSeconds switch { 1 => " seconds", 60 => " minutes", 3600 => " hours", _ => " milliseconds" };
        return $"between {min?.ToJsonString()} and {max?.ToJsonString()}{unit} inclusive";
    }

    private static string JavaName(SettingType type) => type switch
    {
        SettingType.Whole => "int",
        SettingType.WideWhole => "long",
        SettingType.Number => "double",
        SettingType.Flag => "boolean",
        _ => "String",
    };
}
