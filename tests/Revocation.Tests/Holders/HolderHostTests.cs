using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>A holder in its process. L = 10 s, a renewal each second, watched sessions looked up every two.</summary>
public sealed class HolderHostTests : IDisposable
{
    private readonly VirtualProcess _process = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ScriptedStore _store = new();
    private readonly Looks _looks = new();
    private readonly Holder _holder;
    private readonly HolderHost _host;
    private readonly List<string> _told = [];
    private int _incarnations = 200;

    public HolderHostTests()
    {
        _holder = new Holder(_process.Clock);
        var loop = new HolderLoop(_holder, _store, _process.Clock, () => Id(++_incarnations), () => 0.5);
        _host = new HolderHost(
            loop, new SessionChecks(_holder, _looks, _process.Clock), _process.Clock, TimeSpan.FromSeconds(2), failure => (failure as InvalidDataException)?.Message);
        _host.Began += () => _told.Add("began");
        _host.Failing += failure => _told.Add(failure.Message);
        _host.WasLost += isFailing => _told.Add(isFailing ? "lost in an outage" : "lost");
    }

    public void Dispose() => _stop.Dispose();

    [Fact]
    public void An_outage_is_reported_once_however_long_it_lasts()
    {
        Start();
        Fail(new IOException("no answer"));
        Seconds(20);

        Assert.Equal(["began", "no answer"], _told);
    }

    [Fact]
    public void The_next_outage_is_reported_too_when_the_same_incarnation_went_on_in_between()
    {
        Start();
        for (var outage = 1; outage <= 2; outage++)
        {
            Fail(new IOException($"outage {outage}"));
            Seconds(3);
            _store.Renew = null;
            Seconds(3);
        }

        Assert.Equal(["began", "outage 1", "outage 2"], _told);
        Assert.Equal(Id(201), _holder.Incarnation);
    }

    [Fact]
    public void Each_new_refusal_is_reported_during_an_outage()
    {
        Start();
        Fail(new IOException("no answer"));
        Seconds(2);
        Fail(new InvalidDataException("refused"));
        Seconds(3);
        Fail(new IOException("no answer"));
        Seconds(2);
        Fail(new InvalidDataException("refused for another reason"));
        Seconds(3);

        Assert.Equal(["began", "no answer", "refused", "refused for another reason"], _told);
    }

    [Fact]
    public void A_row_that_is_lost_is_reported_with_what_went_before()
    {
        Start();
        _store.Lost.Add(Id(201));
        Seconds(1.5);
        Fail(new IOException("no answer"));
        Seconds(2);
        _store.Renew = null;
        _store.Lost.Add(Id(202));
        Seconds(2);

        Assert.Equal(["began", "lost", "began", "no answer", "lost in an outage", "began"], _told);
    }

    [Fact]
    public void The_first_attempt_is_over_when_it_has_failed()
    {
        _store.Register = _ => throw new IOException("no answer");
        Start();

        Assert.True(_host.FirstAttempt.IsCompletedSuccessfully);
        Assert.False(_host.FirstFresh.IsCompleted);

        _store.Register = null;
        Seconds(1.5);
        Assert.True(_host.FirstFresh.IsCompletedSuccessfully);
    }

    [Fact]
    public void Watched_sessions_are_looked_up_by_each_new_incarnation_and_every_two_seconds()
    {
        var watch = _process.Run(() => _holder.Watch(Name()));
        _looks.Answer = () => throw new IOException("no answer");
        Start();
        Assert.Equal(1, _looks.Count);

        Seconds(3.9);
        Assert.Equal(2, _looks.Count);

        _looks.Answer = () => null;
        Seconds(0.2);
        Assert.True(watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void Who_stops_leaves_the_registry_then_lets_go_of_the_store_and_reports_nothing()
    {
        var running = Start();
        _store.Leaving = () => throw new IOException("no answer");

        _process.Run(_stop.Cancel);
        Seconds(2);

        Assert.True(running.IsCompletedSuccessfully);
        Assert.Equal(["leave 201", "closed"], _store.Calls[^2..]);
        Assert.Equal(["began"], _told);
    }

    private void Seconds(double seconds) => _process.Pass(TimeSpan.FromSeconds(seconds));

    private void Fail(Exception failure) => _store.Renew = _ => throw failure;

    private Task Start() => _process.Run(() => _host.RunAsync(
        () => Row(0),
        () =>
        {
            _store.Calls.Add("closed");
            return ValueTask.CompletedTask;
        },
        _stop.Token));

    private sealed class Looks : ISessionLook
    {
        public int Count { get; private set; }

        public Func<FoundSession?> Answer { get; set; } = () => null;

        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
        {
            Count++;
            return new ValueTask<FoundSession?>(Answer());
        }
    }
}
