using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>What a holder remembers, and what of it first goes.</summary>
public sealed class HolderMemoryTests
{
    private readonly ManualTime _clock = new();

    [Fact]
    public void What_nobody_asked_for_goes_first()
    {
        var holder = Fresh(_clock, capacity: 2);
        holder.See(Found(Name(1)));
        holder.See(Found(Name(2)));
        holder.Check(Name(1));

        holder.See(Found(Name(3)));

        Assert.Equal([HolderVerdict.Known, HolderVerdict.Unknown, HolderVerdict.Known], Verdicts(holder, 1, 2, 3));
    }

    [Fact]
    public void What_was_used_long_ago_goes_after_a_second_chance()
    {
        var holder = Fresh(_clock, capacity: 2);
        holder.See(Found(Name(1)));
        holder.See(Found(Name(2)));
        holder.Check(Name(1));
        holder.See(Found(Name(3)));

        holder.See(Found(Name(4)));
        holder.See(Found(Name(5)));

        Assert.Equal(HolderVerdict.Unknown, holder.Check(Name(1)));
        Assert.Equal(2, holder.Count);
    }

    [Fact]
    public void A_watched_session_stays()
    {
        var holder = Fresh(_clock, capacity: 2);
        holder.See(Found(Name(1)));
        using var watch = holder.Watch(Name(1));
        for (var i = 2; i < 10; i++)
        {
            holder.See(Found(Name(i)));
        }

        Assert.Equal(HolderVerdict.Known, holder.Check(Name(1)));
        Assert.False(watch!.Ended.IsCancellationRequested);
    }

    [Fact]
    public void What_was_just_read_stays_although_all_others_are_watched()
    {
        var holder = Fresh(_clock, capacity: 2);
        holder.See(Found(Name(1)));
        holder.See(Found(Name(2)));
        using var first = holder.Watch(Name(1));
        using var second = holder.Watch(Name(2));

        holder.See(Found(Name(3)));
        Assert.Equal(HolderVerdict.Known, holder.Check(Name(3)));
        holder.See(Found(Name(4)));
        Assert.Equal(HolderVerdict.Known, holder.Check(Name(4)));
    }

    [Fact]
    public void What_was_just_read_stays_although_all_others_are_in_use()
    {
        var holder = Fresh(_clock, capacity: 2);
        holder.See(Found(Name(1)));
        holder.See(Found(Name(2)));
        Verdicts(holder, 1, 2);

        holder.See(Found(Name(3)));

        Assert.Equal(HolderVerdict.Known, holder.Check(Name(3)));
    }

    [Fact]
    public void Memory_stays_bounded_whatever_comes_by()
    {
        var holder = Fresh(_clock, capacity: 10);
        for (var i = 1; i < 1_000; i++)
        {
            holder.See(Found(Name(i)));
            holder.Check(Name(i - (i % 3)));
        }

        Assert.InRange(holder.Count, 1, 11);
    }

    [Fact]
    public void Details_are_as_old_as_the_look_that_read_them()
    {
        var holder = Fresh(_clock);
        var look = holder.StartLook(Name())!;
        _clock.Pass(TimeSpan.FromSeconds(1));
        holder.CompleteLook(look, Name(), Found(Name()));
        holder.Check(Name(), out var known);

        Assert.True(holder.HasDetails(known!, TimeSpan.FromSeconds(1)));
        Assert.False(holder.HasDetails(known!, TimeSpan.FromSeconds(0.9)));
    }

    [Fact]
    public void Details_of_a_changed_session_are_outdated_but_it_lives()
    {
        var holder = Fresh(_clock);
        holder.See(Found(Name()));

        holder.MarkChanged(Name());

        Assert.Equal(HolderVerdict.Known, holder.Check(Name(), out var known));
        Assert.False(holder.HasDetails(known!, TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Details_read_while_a_session_changed_are_outdated()
    {
        var holder = Fresh(_clock);
        var look = holder.StartLook(Name())!;
        holder.MarkChanged(Name());
        holder.CompleteLook(look, Name(), Found(Name()));

        holder.Check(Name(), out var known);

        Assert.False(holder.HasDetails(known!, TimeSpan.FromHours(1)));
    }

    private static HolderVerdict[] Verdicts(Holder holder, params int[] numbers) => [.. numbers.Select(number => holder.Check(Name(number)))];
}
