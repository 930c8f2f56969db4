using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Relay;

/// <summary>Holders that renew through another one.</summary>
public sealed class HolderRelayTests
{
    private readonly VirtualProcess _process = new();
    private readonly Store _store = new();
    private readonly HolderRelay _relay;

    public HolderRelayTests() => _relay = new HolderRelay(_store, _store, () => "here", new RelayLimits());

    [Fact]
    public void Who_attaches_is_registered_in_the_store()
    {
        var other = Attach(2);

        Assert.Equal([Id(2)], _store.Registered);
        Assert.Equal(1, _relay.Count);
        Assert.Empty(other.Story);
    }

    [Fact]
    public void Who_could_not_be_registered_is_not_attached()
    {
        _store.Fails = true;
        var attaching = _process.Run(() => _relay.AttachAsync(new Other(2), Row(2), [], null, CancellationToken.None));

        Assert.True(attaching.IsFaulted);
        Assert.Equal(0, _relay.Count);
    }

    [Fact]
    public void Who_asked_is_renewed_with_the_relay_and_answered()
    {
        var other = Attach(2, requested: 5);
        Renew();

        Assert.Equal([other.Row], _store.Renewals[^1].Others);
        Assert.Equal(["renewed 5"], other.Story);
    }

    [Fact]
    public void Who_did_not_ask_is_not_renewed()
    {
        var other = Attach(2, requested: 0);
        Renew();

        Assert.Empty(_store.Renewals[^1].Others);
        Assert.Empty(other.Story);
    }

    [Fact]
    public void Who_asks_while_a_renewal_is_under_way_is_answered_by_the_next()
    {
        var (early, late) = (Attach(2, requested: 1), Attach(3, requested: 0));
        _store.Pending = new TaskCompletionSource();
        var renewing = StartRenewal();
        early.Requested = 2;
        late.Requested = 1;
        _process.Run(_store.Pending.SetResult);
        _process.Settle();

        Assert.True(renewing.IsCompletedSuccessfully);
        Assert.Equal(["renewed 1"], early.Story);
        Assert.Empty(late.Story);
    }

    [Fact]
    public void Entries_are_handed_over_before_the_renewal_is_answered()
    {
        var (asked, silent) = (Attach(2, requested: 1), Attach(3, requested: 0));
        _store.Entries = [Session(Name())];
        Renew();

        Assert.Equal(["entries", "renewed 1"], asked.Story);
        Assert.Equal(["entries"], silent.Story);
    }

    [Fact]
    public void Who_attached_while_a_renewal_was_under_way_is_handed_what_it_read()
    {
        _store.Entries = [Session(Name())];
        _store.Pending = new TaskCompletionSource();
        StartRenewal();
        var other = Attach(2);

        _process.Run(_store.Pending.SetResult);
        _process.Settle();

        Assert.Equal(["entries"], other.Story);
    }

    [Fact]
    public void A_failed_renewal_answers_nobody()
    {
        var other = Attach(2, requested: 1);
        _store.Fails = true;
        Renew();

        Assert.Empty(other.Story);
        Assert.Equal(1, _relay.Count);
    }

    [Fact]
    public void Whose_row_is_lost_is_told_and_detached()
    {
        var (lost, kept) = (Attach(2, requested: 1), Attach(3, requested: 1));
        _store.Lost = [Id(2)];
        Renew();

        Assert.Equal(["lost NotRegistered"], lost.Story);
        Assert.Equal(["renewed 1"], kept.Story);
        Assert.Equal(1, _relay.Count);
    }

    [Fact]
    public void Who_was_here_before_the_relay_registered_anew_has_missed_something()
    {
        var other = Attach(2, requested: 1);
        _process.Run(() => _relay.RegisterAsync(Row(1), CancellationToken.None));

        Assert.Equal(["lost MissedEntries"], other.Story);
        Assert.Equal(0, _relay.Count);
    }

    [Fact]
    public void A_registration_that_failed_ends_nobody()
    {
        var other = Attach(2);
        _store.Fails = true;
        _process.Run(() => _relay.RegisterAsync(Row(1), CancellationToken.None));

        Assert.Empty(other.Story);
        Assert.Equal(1, _relay.Count);
    }

    [Fact]
    public void A_push_is_confirmed_by_those_who_confirm_it()
    {
        var (quick, slow, broken) = (Attach(2), Attach(3), Attach(4));
        slow.Confirms = new TaskCompletionSource();
        broken.Confirms = new TaskCompletionSource();
        broken.Confirms.SetException(new InvalidOperationException("gone"));
        var push = _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));

        _process.Pass(TimeSpan.FromSeconds(1.1));

        Assert.Equal([quick.Row.Incarnation], push.Outcome());
        Assert.Equal(["entries"], slow.Story);
    }

    [Fact]
    public void A_push_to_nobody_is_confirmed_by_nobody() => Assert.Empty(_process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock)).Outcome());

    [Fact]
    public void Who_is_detached_hears_nothing_more()
    {
        var other = Attach(2, requested: 1);
        _relay.Detach(other);
        _store.Entries = [Session(Name())];
        Renew();

        Assert.Empty(other.Story);
        Assert.Empty(_store.Renewals[^1].Others);
    }

    [Fact]
    public void Who_comes_with_the_incarnation_of_one_that_is_here_is_refused_and_takes_nothing_from_it()
    {
        var first = Attach(2, requested: 1);
        var second = new Other(2) { Requested = 7 };

        var refused = _process.Run(() => _relay.AttachAsync(second, Row(2), [], null, CancellationToken.None)).Outcome();
        _relay.Detach(second);
        Renew();

        Assert.Equal(RegistrationRefusal.Taken, refused.Refusal);
        Assert.Single(_store.Services);
        Assert.Equal(["renewed 1", "entries"], Pushed(first));
        Assert.Empty(second.Story);
    }

    [Fact]
    public void Who_is_refused_by_the_registry_never_answers_for_the_incarnation_that_it_named()
    {
        var liar = new Other(9) { Requested = 1 };
        (_store.Registering, _store.Refusal) = (new TaskCompletionSource(), RegistrationRefusal.Taken);
        var attaching = _process.Run(() => _relay.AttachAsync(liar, Row(9), [], null, CancellationToken.None));

        var push = _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));
        Renew();
        _process.Run(_store.Registering.SetResult);
        _process.Settle();

        Assert.Empty(push.Outcome());
        Assert.Empty(_store.Renewals[^1].Others);
        Assert.Equal(RegistrationRefusal.Taken, attaching.Outcome().Refusal);
        Assert.Equal(0, _relay.Count);
    }

    [Fact]
    public void A_full_relay_refuses_before_it_asks_the_registry()
    {
        var full = new HolderRelay(_store, _store, () => "here", new RelayLimits(Capacity: 0));

        Assert.Equal(RegistrationRefusal.Full, _process.Run(() => full.AttachAsync(new Other(2), Row(2), [], null, CancellationToken.None)).Outcome().Refusal);
        Assert.Empty(_store.Services);
    }

    [Fact]
    public void Registrations_carry_the_limit_of_their_app_and_the_proof_of_what_they_were()
    {
        var relay = new HolderRelay(_store, _store, () => "here", new RelayLimits(PerApp: 7));
        var former = new OwnRow(Id(1), "public", [2]);

        _process.Run(() => relay.AttachAsync(new Other(2), Row(2) with { App = "public" }, [1], former, CancellationToken.None));

        var registration = Assert.Single(_store.Services);
        Assert.Equal((7, former, "here", "public"), (registration.MaxOfApp, registration.Former, registration.Row.Address, registration.Row.App));
        Assert.Equal([1], registration.SecretHash);
    }

    [Fact]
    public void Who_leaves_is_renewed_no_more()
    {
        var other = Attach(2, requested: 1);

        _process.Run(() => _relay.LeaveAsync(other, new OwnRow(Id(2), "public", []), CancellationToken.None));
        Renew();

        Assert.Equal([Id(2)], _store.Left);
        Assert.Empty(_store.Renewals[^1].Others);
    }

    [Fact]
    public void Who_renews_but_confirms_nothing_three_times_in_a_row_is_renewed_no_more()
    {
        var silent = Attach(2, requested: 1);
        silent.Confirms = new TaskCompletionSource();
        for (var push = 1; push <= 3; push++)
        {
            Assert.Equal(1, _relay.Count);
            PushAndWait();
        }

        Renew();

        Assert.Equal("lost Silent", silent.Story[^1]);
        Assert.Equal(1, silent.Story.Count(told => told.StartsWith("lost", StringComparison.Ordinal)));
        Assert.Empty(_store.Renewals[^1].Others);
    }

    [Fact]
    public void Revocations_at_the_same_time_are_missed_once()
    {
        var paused = Attach(2, requested: 1);
        paused.Confirms = new TaskCompletionSource();
        for (var push = 0; push < 10; push++)
        {
            _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));
        }

        _process.Pass(TimeSpan.FromSeconds(1.1));

        Assert.Equal(1, _relay.Count);
        Assert.DoesNotContain("lost Silent", paused.Story);
    }

    [Fact]
    public void Who_confirms_in_between_is_not_too_silent()
    {
        var slow = Attach(2, requested: 1);
        for (var push = 0; push < 6; push++)
        {
            slow.Confirms = new TaskCompletionSource();
            var pushing = _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));
            if (push % 3 == 2)
            {
                _process.Run(slow.Confirms.SetResult);
            }

            _process.Pass(TimeSpan.FromSeconds(1.1));
            Assert.True(pushing.IsCompleted);
        }

        Assert.Equal(1, _relay.Count);
    }

    [Fact]
    public void What_does_not_concern_a_silent_one_is_not_told_to_it_and_does_not_speak_for_it()
    {
        var silent = Attach(2, requested: 1);
        silent.Confirms = new TaskCompletionSource();
        for (var push = 0; push < 3; push++)
        {
            Assert.Empty(_process.Run(() => _relay.PushAsync([Session(Name(app: "elsewhere"))], _process.Clock)).Outcome());
            PushAndWait();
        }

        Assert.Equal(["entries", "entries", "entries", "lost Silent"], silent.Story);
    }

    [Fact]
    public void Each_is_handed_its_own_apps_entries()
    {
        var (own, other) = (Attach(2, requested: 1), Attach(3, requested: 1, app: "elsewhere"));
        _store.Entries = [Session(Name(app: "elsewhere")), Session(Name())];
        Renew();

        Assert.Equal(["public"], own.Heard.Select(entry => entry.App));
        Assert.Equal(["elsewhere"], other.Heard.Select(entry => entry.App));
        Assert.Equal(["entries", "renewed 1"], own.Story);
    }

    private void PushAndWait()
    {
        _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));
        _process.Pass(TimeSpan.FromSeconds(1.1));
    }

    private List<string> Pushed(Other other)
    {
        _process.Run(() => _relay.PushAsync([Session(Name())], _process.Clock));
        return other.Story;
    }

    [Fact]
    public void Entries_are_confirmed_by_the_own_holder_and_by_those_behind_it()
    {
        var own = Fresh(_process.Clock);
        own.See(Found(Name()));
        Attach(2);

        var confirmed = _process.Run(() => _relay.ApplyAsync(own, [Session(Name())], _process.Clock)).Outcome();

        Assert.Equal([own.Incarnation!.Value, Id(2)], confirmed);
        Assert.Equal(HolderVerdict.Unknown, own.Check(Name()));
    }

    [Fact]
    public void The_own_holder_refuses_before_slow_ones_have_confirmed()
    {
        var own = Fresh(_process.Clock);
        own.See(Found(Name()));
        var slow = Attach(2);
        slow.Confirms = new TaskCompletionSource();

        var applying = _process.Run(() => _relay.ApplyAsync(own, [Session(Name())], _process.Clock));

        Assert.False(applying.IsCompleted);
        Assert.Equal(HolderVerdict.Unknown, own.Check(Name()));
    }

    [Fact]
    public void An_incarnation_that_begins_while_entries_are_applied_does_not_confirm_them()
    {
        var own = Fresh(_process.Clock);
        var before = own.Incarnation!.Value;
        own.Applied += _ => own.Begin(Id(101), Terms, []);

        Assert.Equal([before], _process.Run(() => _relay.ApplyAsync(own, [Session(Name())], _process.Clock)).Outcome());
    }

    [Fact]
    public void A_process_that_is_not_registered_confirms_nothing_itself()
    {
        Attach(2);

        Assert.Equal([Id(2)], _process.Run(() => _relay.ApplyAsync(new Holder(_process.Clock), [Session(Name())], _process.Clock)).Outcome());
    }

    private Other Attach(int number, long requested = 0, string app = "public")
    {
        var other = new Other(number) { Requested = requested, App = app };
        Assert.NotNull(_process.Run(() => _relay.AttachAsync(other, Row(number), [], null, CancellationToken.None)).Outcome().Holder);
        return other;
    }

    private void Renew() => StartRenewal();

    private Task<RenewedHolder> StartRenewal() => _process.Run(() => _relay.RenewAsync(new HolderRenewal(Id(1), "0", []), CancellationToken.None));

    private sealed class Other(int number) : IRelayedHolder
    {
        public List<string> Story { get; } = [];

        public List<RevocationEntry> Heard { get; } = [];

        public OwnRow Row => new(Id(number), App, []);

        public string App { get; init; } = "public";

        public long Requested { get; set; }

        public TaskCompletionSource? Confirms { get; set; }

        public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
        {
            Story.Add("entries");
            Heard.AddRange(entries);
            return Confirms?.Task ?? Task.CompletedTask;
        }

        public void AnswerRenewal(long request) => Story.Add($"renewed {request}");

        public void DeclareLost(HolderLoss why) => Story.Add($"lost {why}");
    }

    private sealed class Store : IHolderStore, IServiceStore
    {
        public List<Guid> Registered { get; } = [];

        public List<HolderRenewal> Renewals { get; } = [];

        public List<ServiceRegistration> Services { get; } = [];

        public List<Guid> Left { get; } = [];

        public RegistrationRefusal? Refusal { get; set; }

        public TaskCompletionSource? Registering { get; set; }

        public bool Fails { get; set; }

        public TaskCompletionSource? Pending { get; set; }

        public IReadOnlyList<RevocationEntry> Entries { get; set; } = [];

        public IReadOnlyList<Guid> Lost { get; set; } = [];

        public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
        {
            Registered.Add(row.Incarnation);
            return Fails ? throw new InvalidOperationException("no answer") : Task.FromResult(new RegisteredHolder("0", Terms, []));
        }

        public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
        {
            Renewals.Add(renewal);
            await (Pending?.Task ?? Task.CompletedTask);
            return Fails ? throw new InvalidOperationException("no answer") : new RenewedHolder("1", Entries, Lost);
        }

        public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken)
        {
            Services.Add(registration);
            await (Registering?.Task ?? Task.CompletedTask);
            return Refusal is { } refusal ? new RegisteredService(null, refusal) : new RegisteredService(await RegisterAsync(registration.Row, cancellationToken));
        }

        public Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken)
        {
            Left.Add(own.Incarnation);
            return Task.FromResult(true);
        }
    }
}
