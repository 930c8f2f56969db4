using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>Until when a holder vouches (h1, h2, h5, h6).</summary>
public sealed class HolderFreshnessTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTime _clock = new();

    [Fact]
    public void A_lease_counts_from_the_sending_of_the_renewal()
    {
        var holder = Fresh(_clock);
        var ticket = holder.StartRenewal();
        _clock.Pass(TimeSpan.FromSeconds(3));
        holder.CompleteRenewal(ticket, []);

        _clock.Pass(TimeSpan.FromSeconds(7) - Tick);
        Assert.True(holder.IsFresh);
        _clock.Pass(Tick);
        Assert.False(holder.IsFresh);
    }

    [Fact]
    public void A_known_session_is_vouched_for_as_long_as_the_lease_runs()
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));

        _clock.Pass(Terms.Lease - Tick);
        Assert.Equal(HolderVerdict.Known, holder.Check(Name()));
        _clock.Pass(Tick);
        Assert.Equal(HolderVerdict.NotFresh, holder.Check(Name()));
    }

    [Fact]
    public void A_lease_that_ran_out_comes_back_with_the_next_renewal()
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));
        _clock.Pass(2 * Terms.Lease);

        holder.Renew();

        Assert.Equal(HolderVerdict.Known, holder.Check(Name()));
    }

    [Fact]
    public void A_registered_holder_is_not_fresh_before_its_first_renewal()
    {
        var holder = new Holder(_clock);
        holder.Begin(Id(100), Terms, []);

        Assert.False(holder.IsFresh);
        Assert.Null(holder.StartLook(Name()));
        Assert.Equal(HolderVerdict.Unknown, holder.Check(Name()));
    }

    [Fact]
    public void Who_is_not_registered_cannot_renew() => Assert.Throws<InvalidOperationException>(() => new Holder(_clock).StartRenewal());

    [Fact]
    public void A_renewal_that_overtook_another_is_not_shortened_by_it()
    {
        var holder = Fresh(_clock);
        var slow = holder.StartRenewal();
        _clock.Pass(TimeSpan.FromSeconds(2));
        holder.Renew();
        holder.CompleteRenewal(slow, []);

        _clock.Pass(TimeSpan.FromSeconds(9));
        Assert.True(holder.IsFresh);
    }

    [Fact]
    public void A_renewal_of_a_former_incarnation_does_nothing()
    {
        var holder = Fresh(_clock);
        var old = holder.StartRenewal();
        holder.Begin(Id(101), Terms, []);

        Assert.False(holder.CompleteRenewal(old, []));
        Assert.False(holder.IsFresh);
    }

    [Fact]
    public void A_new_incarnation_knows_nothing()
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));

        holder.Begin(Id(101), Terms, []);
        holder.Renew();

        Assert.Equal(HolderVerdict.Unknown, holder.Check(Name()));
        Assert.Equal(Id(101), holder.Incarnation);
    }

    [Fact]
    public void Who_forgets_vouches_for_nothing()
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));

        holder.Forget();

        Assert.Null(holder.Incarnation);
        Assert.Equal(HolderVerdict.NotFresh, holder.Check(Name()));
    }

    [Theory]
    [InlineData(501)]
    [InlineData(-501)]
    public void Clocks_that_disagree_by_more_than_half_a_second_end_freshness(int milliseconds)
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));
        var suspicions = 0;
        holder.Suspected += () => suspicions++;

        _clock.MoveWall(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(HolderVerdict.NotFresh, holder.Check(Name()));
        Assert.False(holder.IsFresh);
        Assert.Equal(1, suspicions);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(-500)]
    public void Clocks_that_disagree_by_less_do_not(int milliseconds)
    {
        var holder = Fresh(_clock);

        _clock.MoveWall(TimeSpan.FromMilliseconds(milliseconds));

        Assert.True(holder.IsFresh);
    }

    [Fact]
    public void Lost_freshness_does_not_come_back_because_the_clocks_agree_again()
    {
        var holder = Fresh(_clock);
        _clock.MoveWall(TimeSpan.FromSeconds(-2));
        Assert.False(holder.IsFresh);

        _clock.MoveWall(TimeSpan.FromSeconds(2));

        Assert.False(holder.IsFresh);
    }

    [Fact]
    public void The_next_renewal_takes_the_clocks_as_they_are_now()
    {
        var holder = Fresh(_clock);
        _clock.MoveWall(TimeSpan.FromHours(1));
        _clock.Pass(TimeSpan.FromSeconds(1));

        holder.Renew();

        Assert.True(holder.IsFresh);
    }

    [Fact]
    public void Its_age_is_the_time_since_the_renewal_was_sent()
    {
        var holder = Fresh(_clock);
        _clock.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(4), holder.Age);

        _clock.Pass(Terms.Lease);
        Assert.Null(holder.Age);
    }
}
