using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Installation;

namespace Grid.Grains.Tests.Clocks;

/// <summary>A wall clock that a test sets, beside time that only passes.</summary>
public sealed class ClockTrustTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Wall _wall = new() { Now = Start };
    private readonly Steady _steady = new();
    private readonly ClockTrust _trust;

    public ClockTrustTests()
    {
        _trust = new ClockTrust(_wall, _steady);
        _trust.Watch();
    }

    [Fact]
    public void Before_the_first_comparison_nothing_expires()
    {
        Assert.False(_trust.IsTrusted);
        Assert.False(_trust.MayPurge);
        Assert.Throws<StoreUnavailableException>(() => new TrustedClock(_wall, _trust).GetUtcNow());
    }

    [Theory]
    [InlineData(0, ClockVerdict.Right)]
    [InlineData(1.9, ClockVerdict.Right)]
    [InlineData(-1.9, ClockVerdict.Right)]
    [InlineData(2.1, ClockVerdict.Off)]
    [InlineData(-29, ClockVerdict.Off)]
    [InlineData(31, ClockVerdict.Wrong)]
    [InlineData(-31, ClockVerdict.Wrong)]
    [InlineData(7200, ClockVerdict.Wrong)]
    [InlineData(-17280000, ClockVerdict.Wrong)]
    public void The_servers_clock_decides(double seconds, ClockVerdict expected)
    {
        Compare(Start - TimeSpan.FromSeconds(seconds));

        Assert.Equal(expected, _trust.Verdict);
        Assert.Equal(expected != ClockVerdict.Wrong, _trust.IsTrusted);
        Assert.Equal(expected != ClockVerdict.Wrong, _trust.MayPurge);
        Assert.Equal(expected != ClockVerdict.Right, _trust.Reason.Length > 0);
    }

    [Fact]
    public void A_jump_between_two_comparisons_is_noticed_by_the_next_request()
    {
        Compare(Start);
        _wall.Now += TimeSpan.FromHours(2);

        Assert.False(_trust.IsTrusted);

        _wall.Now -= TimeSpan.FromHours(2);
        Assert.True(_trust.IsTrusted);
    }

    [Fact]
    public void Time_that_passes_is_no_jump()
    {
        Compare(Start);
        Pass(TimeSpan.FromDays(3));

        Assert.True(_trust.IsTrusted);
        Assert.False(_trust.MayPurge);
        Compare(Start.AddDays(3));
        Assert.True(_trust.MayPurge);
    }

    [Fact]
    public void A_slow_answer_neither_condemns_nor_acquits()
    {
        Compare(Start);
        var asked = _trust.Ask();
        Pass(TimeSpan.FromSeconds(20));

        Assert.False(_trust.Compare(asked, new StoreTime(Start.AddHours(-5), IsRunning: true)));
        Assert.True(_trust.IsTrusted);
    }

    [Fact]
    public void The_verdict_changes_once_and_does_not_flicker_at_the_threshold()
    {
        Assert.True(Compare(Start.AddSeconds(-31)));
        Assert.False(Compare(Start.AddSeconds(-29)));
        Assert.Equal(ClockVerdict.Wrong, _trust.Verdict);
        Assert.True(Compare(Start.AddSeconds(-20)));
        Assert.Equal(ClockVerdict.Off, _trust.Verdict);
        Assert.True(Compare(Start));
        Assert.Equal(ClockVerdict.Right, _trust.Verdict);
    }

    [Fact]
    public void What_is_purged_is_over_by_both_clocks()
    {
        Compare(Start.AddSeconds(-10));
        Assert.Equal(Start.AddSeconds(-10), _trust.Earliest());

        Compare(Start.AddSeconds(10));
        Assert.Equal(Start, _trust.Earliest());
    }

    [Fact]
    public void A_clock_behind_the_newest_time_in_the_file_is_wrong_until_it_has_caught_up()
    {
        Mark(Start.AddMinutes(10));
        Assert.Equal(ClockVerdict.Wrong, _trust.Verdict);
        Assert.Null(_trust.Newest);

        _wall.Now = Start.AddMinutes(10);
        Mark(Start.AddMinutes(10));
        Assert.True(_trust.IsTrusted);
        Assert.True(_trust.MayPurge);
    }

    [Fact]
    public void A_clock_that_is_set_back_while_running_is_wrong()
    {
        Mark(null);
        Pass(TimeSpan.FromHours(1));
        Mark(null);
        _wall.Now -= TimeSpan.FromMinutes(5);

        Mark(null);

        Assert.Equal(ClockVerdict.Wrong, _trust.Verdict);
    }

    [Fact]
    public void A_long_absence_holds_the_purge_for_a_day_of_running_and_remembers_nothing_meanwhile()
    {
        Mark(Start.AddDays(-200));
        Assert.True(_trust.IsTrusted);
        Assert.False(_trust.MayPurge);
        Assert.Null(_trust.Newest);

        Pass(TimeSpan.FromHours(23));
        Mark(Start.AddDays(-200));
        Assert.False(_trust.MayPurge);

        Pass(TimeSpan.FromHours(2));
        Mark(Start.AddDays(-200));
        Assert.True(_trust.MayPurge);
        Assert.Equal(_wall.Now, _trust.Newest);
    }

    [Fact]
    public void A_night_off_holds_nothing()
    {
        Mark(Start.AddHours(-12));

        Assert.True(_trust.MayPurge);
    }

    [Fact]
    public void A_clock_that_leaps_ahead_while_running_is_wrong_though_the_file_cannot_tell()
    {
        Mark(null);
        _wall.Now = Start.AddDays(200);
        Mark(null);
        Assert.Equal(ClockVerdict.Wrong, _trust.Verdict);
        Assert.False(_trust.MayPurge);

        _wall.Now = Start;
        Mark(null);
        Assert.True(_trust.IsTrusted);
    }

    [Fact]
    public void A_correction_of_an_hour_ahead_is_taken_for_one()
    {
        Mark(null);
        _wall.Now = Start.AddHours(1);
        Mark(null);

        Assert.Equal(ClockVerdict.Off, _trust.Verdict);
        Assert.True(_trust.IsTrusted);
        Mark(null);
        Assert.Equal(ClockVerdict.Right, _trust.Verdict);
    }

    private bool Compare(DateTimeOffset server) => _trust.Compare(_trust.Ask(), new StoreTime(server, IsRunning: true));

    private void Mark(DateTimeOffset? mark) => _trust.Compare(_trust.Ask(), new StoreTime(mark, IsRunning: false));

    private void Pass(TimeSpan time)
    {
        _wall.Now += time;
        _steady.Passed += time;
    }

    private sealed class Steady : TimeProvider
    {
        public TimeSpan Passed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Passed.Ticks;
    }

    private sealed class Wall : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
