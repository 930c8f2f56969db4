using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Registry;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Acknowledgement;

/// <summary>When everybody has been heard or can be left out (r4). W = 12.75 s for L = 10 s.</summary>
public sealed class ConfirmationWaitTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTime _clock = new();

    [Fact]
    public void It_is_over_when_everybody_listed_has_confirmed()
    {
        var wait = Wait();
        wait.TakeListing([Row(1), Row(2)]);
        wait.TakeConfirmations("a", [Id(1)]);
        Assert.False(wait.IsOver);

        wait.TakeConfirmations("a", [Id(2)]);

        Assert.True(wait.IsOver);
        Assert.Equal((2, 0, 0), (wait.Confirmed, wait.Missing, wait.Excluded));
    }

    [Fact]
    public void Nobody_confirms_for_one_who_is_registered_elsewhere()
    {
        var wait = Wait();
        wait.TakeListing([Row(1, "a"), Row(2, "b")]);

        wait.TakeConfirmations("b", [Id(1), Id(2)]);

        Assert.False(wait.IsOver);
        Assert.Equal(["a"], wait.Addresses);
        Assert.Equal(1, wait.Confirmed);
    }

    [Fact]
    public void It_is_over_at_once_when_there_is_nobody()
    {
        var wait = Wait();
        Assert.False(wait.IsOver);

        wait.TakeListing([]);

        Assert.True(wait.IsOver);
    }

    [Fact]
    public void It_is_over_W_after_the_commit()
    {
        var wait = Wait();
        wait.TakeListing([Row(1)]);

        _clock.Pass(Terms.Wait - Tick);
        Assert.False(wait.IsOver);
        _clock.Pass(Tick);

        Assert.True(wait.IsOver);
        Assert.Equal(1, wait.Missing);
    }

    [Fact]
    public void It_waits_for_the_longest_lease_that_is_listed()
    {
        var wait = Wait();
        wait.TakeListing([Row(1), Row(2, lease: 20)]);

        _clock.Pass(Terms.Wait);
        Assert.False(wait.IsOver);
        _clock.Pass(new LeaseTerms(TimeSpan.FromSeconds(20)).Wait - Terms.Wait);

        Assert.True(wait.IsOver);
    }

    [Fact]
    public void It_waits_for_its_own_lease_where_all_others_are_shorter()
    {
        var wait = Wait();
        wait.TakeListing([Row(1, lease: 2)]);

        _clock.Pass(Terms.Wait - Tick);

        Assert.False(wait.IsOver);
    }

    [Fact]
    public void Without_a_list_it_waits_for_the_longest_lease_that_there_can_be()
    {
        var wait = Wait();

        _clock.Pass(new LeaseTerms(LeaseTerms.Longest).Wait - Tick);
        Assert.False(wait.IsOver);
        _clock.Pass(Tick);

        Assert.True(wait.IsOver);
    }

    [Fact]
    public void A_confirmation_of_another_incarnation_counts_for_nobody()
    {
        var wait = Wait();
        wait.TakeListing([Row(1)]);

        wait.TakeConfirmations("a", [Id(2), Id(2)]);

        Assert.False(wait.IsOver);
        Assert.Equal(0, wait.Confirmed);
    }

    [Fact]
    public void Who_has_left_the_registry_since_is_not_waited_for()
    {
        var wait = Wait();
        wait.TakeListing([Row(1), Row(2)]);

        wait.TakeListing([Row(2)]);
        wait.TakeConfirmations("a", [Id(2)]);

        Assert.True(wait.IsOver);
        Assert.Equal((1, 1), (wait.Confirmed, wait.Missing));
    }

    [Fact]
    public void Who_has_come_since_is_not_waited_for()
    {
        var wait = Wait();
        wait.TakeListing([Row(1)]);

        wait.TakeListing([Row(1), Row(2)]);
        wait.TakeConfirmations("a", [Id(1)]);

        Assert.True(wait.IsOver);
    }

    [Fact]
    public void Who_does_not_count_is_named_as_excluded()
    {
        var wait = Wait(row => row.Kind == HolderKind.Silo);
        wait.TakeListing([Row(1), Row(2, kind: HolderKind.Service)]);
        wait.TakeConfirmations("a", [Id(1)]);

        Assert.True(wait.IsOver);
        Assert.Equal((1, 1), (wait.Confirmed, wait.Excluded));
    }

    [Fact]
    public void Only_addresses_where_somebody_is_missing_are_asked()
    {
        var wait = Wait();
        wait.TakeListing([Row(1, "a"), Row(2, "a"), Row(3, "b"), Row(4, "c")]);

        wait.TakeConfirmations("a", [Id(1)]);
        wait.TakeConfirmations("b", [Id(3)]);

        Assert.Equal(["a", "c"], wait.Addresses.Order());
    }

    private ConfirmationWait Wait(Predicate<HolderRow>? counts = null) => new(_clock.GetTimestamp(), Terms, counts ?? (_ => true), _clock);
}
