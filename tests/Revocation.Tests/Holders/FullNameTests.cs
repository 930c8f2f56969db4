using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>Names that share an id but not the app, or not the tenant, have nothing to do with each other.</summary>
public sealed class FullNameTests
{
    private readonly ManualTime _clock = new();
    private readonly Holder _holder;

    public FullNameTests()
    {
        _holder = Fresh(_clock);
        _holder.See(Found(Name()));
    }

    public static TheoryData<string, string> Others => new() { { "elsewhere", "t" }, { "public", "T" }, { "public", "t\u0301" } };

    [Theory, MemberData(nameof(Others))]
    public void An_entry_of_another_name_ends_nothing(string app, string tenant)
    {
        using var watch = _holder.Watch(Name());

        _holder.Apply([Session(Name(app: app, tenant: tenant))]);

        Assert.Equal(HolderVerdict.Known, _holder.Check(Name()));
        Assert.False(watch.Ended.IsCancellationRequested);
    }

    [Theory, MemberData(nameof(Others))]
    public void What_is_gone_under_another_name_is_read_all_the_same(string app, string tenant)
    {
        _holder.Apply([Session(Name(2, app, tenant))]);

        _holder.See(Found(Name(2)));

        Assert.Equal(HolderVerdict.Known, _holder.Check(Name(2)));
    }

    [Theory, MemberData(nameof(Others))]
    public void A_look_at_another_name_that_finds_nothing_ends_nothing(string app, string tenant)
    {
        using var watch = _holder.Watch(Name());
        var other = Name(app: app, tenant: tenant);

        Assert.Equal(LookOutcome.NotThere, _holder.CompleteLook(_holder.StartLook(other)!, other, null));

        Assert.Equal(HolderVerdict.Known, _holder.Check(Name()));
        Assert.False(watch.Ended.IsCancellationRequested);
    }

    [Theory, MemberData(nameof(Others))]
    public void Both_names_may_live_and_each_ends_alone(string app, string tenant)
    {
        var other = Name(app: app, tenant: tenant);
        _holder.See(Found(other));
        using var watch = _holder.Watch(other);

        _holder.Apply([Session(Name())]);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
        Assert.Equal(HolderVerdict.Known, _holder.Check(other));
        Assert.False(watch.Ended.IsCancellationRequested);
    }

    [Theory, MemberData(nameof(Others))]
    public void A_change_of_another_name_outdates_no_details(string app, string tenant)
    {
        var look = _holder.StartLook(Name(3))!;

        _holder.MarkChanged(Name(app: app, tenant: tenant));
        _holder.MarkChanged(Name(3, app, tenant));
        _holder.CompleteLook(look, Name(3), Found(Name(3)));

        _holder.Check(Name(), out var known);
        _holder.Check(Name(3), out var read);
        Assert.True(_holder.HasDetails(known!, TimeSpan.FromHours(1)));
        Assert.True(_holder.HasDetails(read!, TimeSpan.FromHours(1)));
    }

    [Theory, MemberData(nameof(Others))]
    public void A_session_kept_under_another_name_keeps_nothing(string app, string tenant)
    {
        _holder.Apply([User(epoch: 1, kept: Name(app: app, tenant: tenant))]);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Theory, MemberData(nameof(Others))]
    public async Task A_look_under_way_at_another_name_is_not_joined(string app, string tenant)
    {
        var store = new SlowLook();
        var checks = new SessionChecks(_holder, store, _clock);

        var foreign = checks.FindAsync(Name(2, app, tenant));
        var own = checks.FindAsync(Name(2));
        store.Answer(Name(2, app, tenant), null);
        store.Answer(Name(2), Found(Name(2)));

        Assert.Equal(Liveness.Ended, (await foreign).Liveness);
        Assert.Equal(Liveness.Active, (await own).Liveness);
    }

    private sealed class SlowLook : ISessionLook
    {
        private readonly Dictionary<SessionName, TaskCompletionSource<FoundSession?>> _looks = [];

        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
        {
            var look = new TaskCompletionSource<FoundSession?>();
            _looks.Add(name, look);
            return new ValueTask<FoundSession?>(look.Task);
        }

        public void Answer(SessionName name, FoundSession? found) => _looks[name].SetResult(found);
    }
}
