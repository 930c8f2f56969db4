using Grid.Abstractions.Settings;

namespace Grid.Abstractions.Tests;

public sealed class SettingDurationTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("30s", 30)]
    [InlineData("15m", 900)]
    [InlineData("1.5h", 5400)]
    [InlineData("100d", 8_640_000)]
    [InlineData("0s", 0)]
    [InlineData("-1s", -1)]
    [InlineData("00:00:30", 30)]
    [InlineData("1.00:00:00", 86_400)]
    [InlineData("00:00:00.020", 0.02)]
    [InlineData(" 15m ", 900)]
    public void A_duration_has_a_unit_or_the_full_form(string text, double seconds)
    {
        Assert.True(SettingDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
        Assert.True(SettingDuration.TryParse(SettingDuration.Write(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData("60")]
    [InlineData("0")]
    [InlineData("1.5")]
    [InlineData("01:00")]
    [InlineData("24:00:00")]
    [InlineData("1.00:00")]
    [InlineData("15 minutes")]
    [InlineData("15M")]
    [InlineData("m")]
    [InlineData("")]
    [InlineData("1e3s")]
    [InlineData("1,5h")]
    [InlineData("99999999999d")]
    [InlineData("soon")]
    public void What_could_be_read_in_two_ways_is_none(string text) => Assert.False(SettingDuration.TryParse(text, out _));

    [Theory]
    [InlineData(20, "20ms")]
    [InlineData(90_000, "90s")]
    [InlineData(5_400_000, "90m")]
    [InlineData(8_640_000_000, "100d")]
    [InlineData(0, "0s")]
    public void It_is_written_with_its_largest_whole_unit(double milliseconds, string text) => Assert.Equal(text, SettingDuration.Write(TimeSpan.FromMilliseconds(milliseconds)));
}
