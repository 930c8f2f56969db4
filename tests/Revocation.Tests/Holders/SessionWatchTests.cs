using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>Who hears of a session's end, and who does not.</summary>
public sealed class SessionWatchTests
{
    private readonly ManualTime _clock = new();
    private readonly Holder _holder;

    public static TheoryData<RevocationEntry> Wide { get; } = [Tenant(), App(), Unknown()];

    public SessionWatchTests()
    {
        _holder = Fresh(_clock);
        _holder.See(Found(Name()));
    }

    [Fact]
    public void Every_watch_of_a_revoked_session_ends()
    {
        var watches = new[] { _holder.Watch(Name()), _holder.Watch(Name()) };

        _holder.Apply([Session(Name())]);

        Assert.All(watches, watch => Assert.True(watch.Ended.IsCancellationRequested));
    }

    [Fact]
    public void A_watch_ends_when_the_store_has_the_session_no_more()
    {
        var watch = _holder.Watch(Name());

        _holder.CompleteLook(_holder.StartLook(Name())!, Name(), null);

        Assert.True(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void A_watch_outlives_freshness_and_incarnation()
    {
        var watch = _holder.Watch(Name());

        _clock.Pass(2 * Terms.Lease);
        _holder.Forget();

        Assert.False(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void A_new_incarnation_has_to_look_for_what_is_watched()
    {
        var watch = _holder.Watch(Name());
        Assert.Empty(_holder.UnseenWatched());

        _holder.Begin(Id(101), Terms, []);
        Assert.Equal([Name()], _holder.UnseenWatched());

        watch.Dispose();
        Assert.Empty(_holder.UnseenWatched());
    }

    [Theory]
    [MemberData(nameof(Wide))]
    public void A_session_created_between_the_push_of_a_wide_entry_and_its_reading_in_the_log_is_looked_at_again_and_its_watch_goes_on(RevocationEntry entry)
    {
        _holder.Apply([entry]);
        _holder.See(Found(Name(2)));
        using var watch = _holder.Watch(Name(2));

        _holder.Renew(entry);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name(2)));
        Assert.False(watch.Ended.IsCancellationRequested);
        Assert.Equal([Name(2)], _holder.UnseenWatched());

        _holder.See(Found(Name(2)));
        _holder.Apply([entry with { Position = entry.Position + 1 }]);
        Assert.True(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void A_watched_session_that_a_new_incarnation_does_not_know_yet_ends_all_the_same()
    {
        var watch = _holder.Watch(Name());
        _holder.Begin(Id(101), Terms, []);

        _holder.Apply([Session(Name())]);

        Assert.True(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void A_session_that_is_not_known_is_watched_until_a_later_look_finds_nothing()
    {
        var early = _holder.StartLook(Name(2))!;
        _clock.Pass(TimeSpan.FromMilliseconds(1));
        using var watch = _holder.Watch(Name(2));

        _holder.CompleteLook(early, Name(2), null);
        Assert.False(watch.Ended.IsCancellationRequested);

        _holder.CompleteLook(_holder.StartLook(Name(2))!, Name(2), null);
        Assert.True(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void Who_left_hears_nothing()
    {
        var watch = _holder.Watch(Name());
        watch.Dispose();

        _holder.Apply([Session(Name())]);

        Assert.False(watch.Ended.IsCancellationRequested);
    }
}
