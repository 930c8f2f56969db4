namespace Grid.Abstractions.Settings;

/// <summary>What a setting's value is.</summary>
public enum SettingType
{
    Text = 0,

    /// <summary>A whole number of 32 bits.</summary>
    Whole = 1,

    /// <summary>A whole number of 64 bits.</summary>
    WideWhole = 2,

    Number = 3,

    Flag = 4,

    /// <summary>A <see cref="TimeSpan"/>: <c>15m</c>, <c>1h</c>, <c>100d</c>, <c>500ms</c>, or <c>[d.]hh:mm:ss</c>. In core config a number of <see cref="Setting.Unit"/>.</summary>
    Duration = 5,

    /// <summary>One of <see cref="Setting.Choices"/>.</summary>
    Choice = 6,
}
