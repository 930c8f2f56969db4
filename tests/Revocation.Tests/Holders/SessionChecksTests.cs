using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>How a request is judged.</summary>
public sealed class SessionChecksTests
{
    private readonly VirtualProcess _process = new();
    private readonly Holder _holder;
    private readonly StoreThatWaits _store = new();
    private readonly SessionChecks _checks;

    public SessionChecksTests()
    {
        _holder = Fresh(_process.Clock);
        _checks = new SessionChecks(_holder, _store, _process.Clock);
    }

    [Fact]
    public void A_known_session_needs_no_look()
    {
        _holder.See(Found(Name()));

        Assert.Equal(Liveness.Active, Find().Outcome().Liveness);
        Assert.Empty(_store.Asked);
    }

    [Fact]
    public void A_session_is_looked_up_at_first_sight_and_known_from_then()
    {
        var first = Find();
        Answer(0, Found(Name(), details: "row"));

        Assert.Equal("row", first.Outcome().Session?.Details);
        Assert.Equal(Liveness.Active, Find().Outcome().Liveness);
        Assert.Single(_store.Asked);
    }

    [Fact]
    public void Those_who_ask_at_the_same_time_share_a_look()
    {
        var all = new[] { Find(), Find(), Find() };
        Assert.Single(_store.Asked);

        Answer(0, Found(Name()));

        Assert.All(all, finding => Assert.Equal(Liveness.Active, finding.Outcome().Liveness));
    }

    [Fact]
    public void A_session_that_the_store_has_not_is_over()
    {
        var finding = Find();
        Answer(0, null);

        Assert.Equal(Liveness.Ended, finding.Outcome().Liveness);
    }

    [Fact]
    public void Who_joined_a_look_that_found_nothing_looks_again()
    {
        var (first, second) = (Find(), Find());
        Answer(0, null);

        Assert.True(first.IsCompletedSuccessfully);
        Assert.False(second.IsCompleted);
        Answer(1, Found(Name()));
        Assert.Equal(Liveness.Active, second.Outcome().Liveness);
    }

    [Fact]
    public void A_look_that_a_revocation_overtook_is_repeated()
    {
        var finding = Find();
        _process.Run(() => _holder.Apply([Tenant()]));
        Answer(0, Found(Name()));

        Assert.False(finding.IsCompleted);
        Answer(1, null);
        Assert.Equal(Liveness.Ended, finding.Outcome().Liveness);
    }

    [Fact]
    public void Nobody_can_say_when_every_look_is_overtaken()
    {
        var finding = Find();
        for (var look = 0; look < 4; look++)
        {
            _process.Run(() => _holder.Apply([Tenant()]));
            Answer(look, Found(Name()));
        }

        Assert.Equal(Liveness.Unknown, finding.Outcome().Liveness);
        Assert.Equal(4, _store.Asked.Count);
    }

    [Fact]
    public void Nobody_can_say_without_freshness_and_the_store_is_not_asked()
    {
        _holder.See(Found(Name(1)));
        _process.Pass(Terms.Lease);

        Assert.Equal(Liveness.Unknown, Find(Name(1)).Outcome().Liveness);
        Assert.Equal(Liveness.Unknown, Find(Name(2)).Outcome().Liveness);
        Assert.Empty(_store.Asked);
    }

    [Fact]
    public void Nobody_can_say_when_freshness_ends_during_the_look()
    {
        var finding = Find();
        _process.Pass(Terms.Lease);
        Answer(0, Found(Name()));

        Assert.Equal(Liveness.Unknown, finding.Outcome().Liveness);
    }

    [Fact]
    public void Who_was_refused_for_want_of_freshness_is_answered_after_the_next_renewal()
    {
        _process.Pass(Terms.Lease);
        _ = Find();
        _process.Run(() => _holder.Renew());

        var finding = Find();
        Answer(0, Found(Name()));

        Assert.Equal(Liveness.Active, finding.Outcome().Liveness);
    }

    [Fact]
    public void A_failed_look_is_told_to_all_and_the_next_one_asks_anew()
    {
        var (first, second) = (Find(), Find());
        Fail(0);

        Assert.IsType<InvalidOperationException>(first.Exception?.InnerException);
        Assert.IsType<InvalidOperationException>(second.Exception?.InnerException);
        _ = Find();
        Assert.Equal(2, _store.Asked.Count);
    }

    [Fact]
    public void Details_that_are_old_are_read_again()
    {
        _holder.See(Found(Name(), details: "old"));
        _process.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal("old", Find(Name(), TimeSpan.FromSeconds(3)).Outcome().Session?.Details);
        var finding = Find(Name(), TimeSpan.FromSeconds(1));
        Answer(0, Found(Name(), details: "new"));

        Assert.Equal("new", finding.Outcome().Session?.Details);
    }

    [Fact]
    public void Old_details_will_do_when_the_store_fails()
    {
        _holder.See(Found(Name(), details: "old"));
        var finding = Find(Name(), TimeSpan.Zero);
        Fail(0);

        Assert.Equal("old", finding.Outcome().Session?.Details);
    }

    [Fact]
    public void Old_details_will_do_when_the_store_is_silent_for_half_a_second()
    {
        _holder.See(Found(Name(), details: "old"));
        _process.Pass(TimeSpan.FromSeconds(1));
        var finding = Find(Name(), TimeSpan.Zero);

        _process.Pass(TimeSpan.FromMilliseconds(490));
        Assert.False(finding.IsCompleted);
        _process.Pass(TimeSpan.FromMilliseconds(20));

        Assert.Equal("old", finding.Outcome().Session?.Details);
    }

    [Fact]
    public void Who_joined_a_look_that_a_write_overtook_reads_again()
    {
        var before = Find(Name(), Terms.Lease);
        _process.Run(() => _holder.MarkChanged(Name()));
        var after = Find(Name(), Terms.Lease);
        Answer(0, Found(Name(), details: "old"));

        Assert.Equal("old", before.Outcome().Session?.Details);
        Assert.False(after.IsCompleted);
        Answer(1, Found(Name(), details: "new"));
        Assert.Equal("new", after.Outcome().Session?.Details);
    }

    [Fact]
    public void Who_asks_what_is_so_now_is_not_told_what_was_so_when_somebody_asked_before()
    {
        _ = Find();
        var fresh = new[] { Find(Name(), TimeSpan.Zero), Find(Name(), TimeSpan.Zero) };
        Answer(0, Found(Name(), details: "old"));

        Assert.All(fresh, finding => Assert.False(finding.IsCompleted));
        Answer(1, Found(Name(), details: "new"));
        Assert.All(fresh, finding => Assert.Equal("new", finding.Outcome().Session?.Details));
        Assert.Equal(2, _store.Asked.Count);
    }

    [Fact]
    public void How_far_old_details_can_be_relied_on_is_told_when_the_store_fails()
    {
        _holder.See(Found(Name(), details: "old"));
        _process.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(DetailsAge.AsAsked, Find(Name(), TimeSpan.FromSeconds(3)).Outcome().Details);
        Assert.Equal(DetailsAge.AsAsked, Find(Name()).Outcome().Details);

        Assert.Equal(DetailsAge.Older, FindFailing(TimeSpan.FromSeconds(1.5)).Details);
        Assert.Equal(DetailsAge.Outdated, FindFailing(TimeSpan.FromSeconds(0.5)).Details);
        Assert.Equal(DetailsAge.Outdated, FindFailing(TimeSpan.Zero).Details);
        _process.Run(() => _holder.MarkChanged(Name()));
        Assert.Equal(DetailsAge.Outdated, FindFailing(TimeSpan.FromHours(1)).Details);

        SessionFinding FindFailing(TimeSpan within)
        {
            var finding = Find(Name(), within);
            Fail(_store.Asked.Count - 1);
            return finding.Outcome();
        }
    }

    [Fact]
    public void A_session_that_is_revoked_while_its_details_are_awaited_is_not_accepted()
    {
        _holder.See(Found(Name(), details: "old"));
        var finding = Find(Name(), TimeSpan.Zero);
        _process.Run(() => _holder.Apply([Session(Name())]));

        _process.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(Liveness.Unknown, finding.Outcome().Liveness);
    }

    [Fact]
    public void Watched_sessions_are_looked_up_by_a_new_incarnation()
    {
        _holder.See(Found(Name()));
        var watch = _holder.Watch(Name())!;
        _holder.Begin(Id(101), Terms, []);
        _holder.Renew();

        _process.Run(_checks.RecheckWatchedAsync);
        Answer(0, null);

        Assert.True(watch.Ended.IsCancellationRequested);
    }

    private Task<SessionFinding> Find(SessionName? name = null, TimeSpan? detailsWithin = null) =>
        _process.Run(() => _checks.FindAsync(name ?? Name(), detailsWithin).AsTask());

    private void Answer(int look, FoundSession? found) => _process.Run(() => _store.Asked[look].SetResult(found));

    private void Fail(int look) => _process.Run(() => _store.Asked[look].SetException(new InvalidOperationException("no answer")));

    private sealed class StoreThatWaits : ISessionLook
    {
        public List<TaskCompletionSource<FoundSession?>> Asked { get; } = [];

        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
        {
            Asked.Add(new TaskCompletionSource<FoundSession?>());
            return new ValueTask<FoundSession?>(Asked[^1].Task);
        }
    }
}
