using System.Collections.Immutable;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.SigningKeys;

namespace Grid.Grains.Tests.SigningKeys;

public sealed class KeyRotationPlanTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly KeyRotationPlan Plan = new(TimeSpan.FromHours(168), TimeSpan.FromHours(1));

    [Fact]
    public void The_first_key_signs_at_once()
    {
        Assert.True(Plan.IsNextDue([], Start));
        Assert.Equal(Start, Plan.NextSignsFrom([], Start));
    }

    [Fact]
    public void The_next_key_is_due_just_early_enough_to_take_over_on_time()
    {
        var keys = One(Start);
        var due = Plan.NextChangeAt(keys);

        Assert.False(Plan.IsNextDue(keys, due - TimeSpan.FromSeconds(1)));
        Assert.True(Plan.IsNextDue(keys, due));
        Assert.Equal(Start + TimeSpan.FromHours(168), Plan.NextSignsFrom(keys, due));
    }

    [Fact]
    public void An_app_that_slept_through_its_rotation_still_publishes_before_it_signs()
    {
        var late = Start + TimeSpan.FromDays(300);

        Assert.True(Plan.NextSignsFrom(One(Start), late) >= late + TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Replaced_keys_are_kept_for_two_token_lives_and_then_forgotten()
    {
        var next = Key("d-2", Start + TimeSpan.FromHours(168));
        var keys = Plan.Follow(One(Start), next);
        var end = next.SignsFrom + TimeSpan.FromHours(2);

        Assert.Equal(2, KeyRotationPlan.Retire(keys, end - TimeSpan.FromTicks(1)).Length);
        Assert.Equal([next], KeyRotationPlan.Retire(keys, end));
    }

    [Fact]
    public void Silos_look_often_enough_to_know_a_key_before_it_signs()
    {
        Assert.True(Plan.PollInterval <= TimeSpan.FromSeconds(30));
        var hasty = new KeyRotationPlan(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1));
        Assert.True(hasty.PollInterval < hasty.NextSignsFrom(One(Start), Start) - Start);
    }

    [Fact]
    public void A_ring_that_is_full_waits_for_room_and_drops_nothing_that_verifies()
    {
        var plan = new KeyRotationPlan(TimeSpan.FromHours(1), TimeSpan.FromDays(300));
        var (keys, now) = (One(Start), Start);
        for (var i = 0; i < 1_000; i++)
        {
            now += TimeSpan.FromHours(1);
            Assert.Equal(keys, KeyRotationPlan.Retire(keys, now));
            if (plan.IsNextDue(keys, now))
            {
                keys = plan.Follow(keys, Key($"d-{i}", plan.NextSignsFrom(keys, now)));
            }
        }

        Assert.Equal(KeyRotationPlan.MaxDynamicKeys, keys.Length);
        var room = keys.Min(key => key.VerifiesUntil);
        Assert.Equal(room, plan.NextChangeAt(keys));
        Assert.True(plan.IsNextDue(KeyRotationPlan.Retire(keys, room!.Value), room.Value));
    }

    private static ImmutableArray<StoredKey> One(DateTimeOffset signsFrom) => [Key("d-1", signsFrom)];

    private static StoredKey Key(string kid, DateTimeOffset signsFrom) => new()
    {
        Kid = kid,
        Kind = KeyKind.Dynamic,
        SignsFrom = signsFrom,
        VerifiesUntil = null,
        Secret = [],
    };
}
