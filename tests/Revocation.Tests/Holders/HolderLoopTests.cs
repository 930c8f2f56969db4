using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>How a holder is kept fresh (h1, h2). L = 10 s, a renewal each second.</summary>
public sealed class HolderLoopTests : IDisposable
{
    private readonly VirtualProcess _process = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ScriptedStore _store = new();
    private readonly Holder _holder;
    private readonly List<string> _told = [];
    private int _incarnations = 200;

    public HolderLoopTests() => _holder = new Holder(_process.Clock);

    public void Dispose() => _stop.Dispose();

    [Fact]
    public void It_registers_renews_and_is_fresh()
    {
        Start();

        Assert.True(_holder.IsFresh);
        Assert.Equal(Id(201), _holder.Incarnation);
        Assert.Equal(["register 201", "renew 201 from 0"], _store.Calls);
        Assert.Equal(["began"], _told);
    }

    [Fact]
    public void It_renews_every_second_from_where_the_last_renewal_ended()
    {
        Start();
        Seconds(2.5);

        Assert.Equal(["renew 201 from 1", "renew 201 from 2"], _store.Calls[^2..]);
    }

    [Fact]
    public void What_a_renewal_reads_is_applied()
    {
        Start();
        _holder.See(Found(Name()));
        _store.Entries.Add(Session(Name()));

        Seconds(1.5);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Fact]
    public void A_failed_renewal_is_repeated_from_the_same_place()
    {
        Start();
        _store.Renew = _ => throw new InvalidOperationException("no answer");
        Seconds(1.5);
        _store.Renew = null;
        Seconds(1);

        Assert.Equal(["renew 201 from 1", "renew 201 from 1"], _store.Calls[^2..]);
        Assert.Equal(["began", "failed InvalidOperationException"], _told);
        Assert.True(_holder.IsFresh);
    }

    [Fact]
    public void Who_is_told_to_tries_sooner_after_a_failure_than_it_renews()
    {
        Start(retryAfter: TimeSpan.FromMilliseconds(200));
        _store.Renew = _ => throw new InvalidOperationException("no answer");
        Seconds(1.9);

        // One after a second, and then every 0.2 s.
        Assert.Equal(5, _told.Count(told => told == "failed InvalidOperationException"));
    }

    [Fact]
    public void A_renewal_that_is_not_answered_is_given_up_after_a_second()
    {
        Start();
        var never = new TaskCompletionSource<RenewedHolder>();
        _store.Renew = _ => never.Task;
        Seconds(2.5);

        Assert.Equal(["began", "failed TimeoutException"], _told);

        // Whatever it answers now, it is too late.
        _process.Run(() => never.SetResult(new RenewedHolder("77", [], [])));
        _store.Renew = null;
        Seconds(2);
        Assert.DoesNotContain("renew 201 from 77", _store.Calls);
    }

    [Fact]
    public void Freshness_ends_a_lease_after_the_last_renewal_was_sent()
    {
        Start();
        _store.Renew = _ => throw new InvalidOperationException("no answer");

        Seconds(9.9);
        Assert.True(_holder.IsFresh);
        Seconds(0.2);
        Assert.False(_holder.IsFresh);
    }

    [Fact]
    public void Who_lost_its_row_forgets_everything_and_starts_a_new_incarnation()
    {
        Start();
        _holder.See(Found(Name()));
        _store.Lost.Add(Id(201));

        Seconds(1.5);

        Assert.Equal(Id(202), _holder.Incarnation);
        Assert.True(_holder.IsFresh);
        Assert.Equal(0, _holder.Count);
        Assert.Equal(["register 202", "renew 202 from 0"], _store.Calls[^2..]);
        Assert.Equal(["began", "lost", "began"], _told);
    }

    [Fact]
    public void Who_has_heard_nothing_for_longer_than_the_log_may_be_kept_forgets_everything_and_starts_anew()
    {
        Start();
        _store.Renew = _ => throw new InvalidOperationException("no answer");
        _holder.See(Found(Name()));
        Seconds(301);
        _store.Renew = null;

        Seconds(2);

        Assert.Equal(["leave 201", "register 202", "renew 202 from 0"], _store.Calls.SkipWhile(call => call != "leave 201").Take(3));
        Assert.True(_holder.IsFresh);
        Assert.Equal(0, _holder.Count);
    }

    [Fact]
    public void Who_has_heard_nothing_for_less_goes_on_with_what_it_knows()
    {
        Start();
        _holder.See(Found(Name()));
        _store.Renew = _ => throw new InvalidOperationException("no answer");
        Seconds(290);
        _store.Renew = null;

        Seconds(2);

        Assert.Equal(Id(201), _holder.Incarnation);
        Assert.Equal(HolderVerdict.Known, _holder.Check(Name()));
    }

    [Fact]
    public void A_machine_that_slept_counts_what_only_its_wall_clock_knows()
    {
        Start();
        _holder.See(Found(Name()));
        _process.Clock.JumpWall(TimeSpan.FromMinutes(6));

        Seconds(2);

        Assert.Equal(Id(202), _holder.Incarnation);
        Assert.Equal(0, _holder.Count);
    }

    [Fact]
    public void A_registration_that_failed_is_repeated_under_another_name()
    {
        _store.Register = _ => throw new InvalidOperationException("no answer");
        Start();
        _store.Register = null;
        Seconds(1.5);

        Assert.Equal(["register 201", "register 202", "renew 202 from 0"], _store.Calls);
        Assert.Equal(Id(202), _holder.Incarnation);
    }

    [Fact]
    public void A_registration_that_is_not_answered_is_given_up_after_a_lease()
    {
        _store.Register = _ => new TaskCompletionSource<RegisteredHolder>().Task;
        Start();
        _store.Register = null;
        Seconds(9.9);
        Assert.Null(_holder.Incarnation);

        Seconds(1.5);
        Assert.Equal(Id(202), _holder.Incarnation);
    }

    [Fact]
    public void Who_was_made_to_forget_starts_a_new_incarnation()
    {
        Start();
        _process.Run(_holder.Forget);

        Seconds(3);

        Assert.Equal(Id(202), _holder.Incarnation);
        Assert.True(_holder.IsFresh);
    }

    [Fact]
    public void Clocks_that_disagree_bring_a_renewal_at_once()
    {
        Start();
        _process.Clock.JumpWall(TimeSpan.FromHours(1));

        _process.Run(() => Assert.False(_holder.IsFresh));
        Seconds(0.01);

        Assert.True(_holder.IsFresh);
    }

    [Fact]
    public void Who_stops_vouches_for_nothing_any_more_and_then_leaves_the_registry()
    {
        var running = Start();
        _holder.See(Found(Name()));
        bool? vouched = null;
        _store.Leaving = () => vouched = _holder.Check(Name()) == HolderVerdict.Known;

        _process.Run(_stop.Cancel);
        _process.Settle();

        Assert.True(running.IsCompletedSuccessfully);
        Assert.Equal("leave 201", _store.Calls[^1]);
        Assert.False(vouched);
    }

    [Fact]
    public void Who_cannot_leave_stops_all_the_same()
    {
        var running = Start();
        _store.Leaving = () => throw new InvalidOperationException("no answer");

        _process.Run(_stop.Cancel);
        Seconds(2);

        Assert.True(running.IsCompletedSuccessfully);
        Assert.Equal(["began", "failed InvalidOperationException"], _told);
    }

    private void Seconds(double seconds) => _process.Pass(TimeSpan.FromSeconds(seconds));

    private Task Start(TimeSpan? retryAfter = null)
    {
        var loop = new HolderLoop(_holder, _store, _process.Clock, () => Id(++_incarnations), () => 0.5, retryAfter: retryAfter);
        loop.Began += () => _told.Add("began");
        loop.WasLost += () => _told.Add("lost");
        loop.Failed += failure => _told.Add($"failed {failure.GetType().Name}");
        return _process.Run(() => loop.RunAsync(() => Row(0), _stop.Token));
    }
}
