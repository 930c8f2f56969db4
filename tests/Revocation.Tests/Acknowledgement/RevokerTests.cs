using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Acknowledgement;

/// <summary>How long an acknowledgement takes, and what it says (r2–r5).</summary>
public sealed class RevokerTests : IDisposable
{
    private readonly VirtualProcess _process = new();
    private readonly CancellationTokenSource _gaveUp = new();
    private readonly Registry _registry = new();
    private readonly Transport _transport = new();

    public void Dispose() => _gaveUp.Dispose();

    [Fact]
    public void It_acknowledges_when_all_have_confirmed()
    {
        _registry.Rows = [Row(1, "a"), Row(2, "a"), Row(3, "b")];
        _transport.Confirm = address => Task.FromResult<IReadOnlyCollection<Guid>>(address == "a" ? [Id(1), Id(2)] : [Id(3)]);

        var receipt = Start().Outcome();

        Assert.Equal((3, 0, 0), (receipt.Confirmed, receipt.Waited, receipt.Excluded));
        Assert.Equal(7, receipt.Position);
        Assert.Equal(["a", "b"], _transport.Pushed.Order());
    }

    [Fact]
    public void Who_does_not_confirm_is_asked_again_every_half_second()
    {
        _registry.Rows = [Row(1)];
        _transport.Confirm = _ => Task.FromException<IReadOnlyCollection<Guid>>(new InvalidOperationException("not there"));
        var receipt = Start();

        Seconds(2.2);
        Assert.Equal(5, _transport.Pushed.Count);
        _transport.Confirm = _ => Task.FromResult<IReadOnlyCollection<Guid>>([Id(1)]);
        Seconds(0.5);

        Assert.Equal(1, receipt.Outcome().Confirmed);
    }

    [Fact]
    public void A_push_under_way_is_not_repeated()
    {
        _registry.Rows = [Row(1)];
        Start();

        Seconds(5);

        Assert.Single(_transport.Pushed);
    }

    [Fact]
    public void Who_is_silent_is_waited_for_until_its_lease_has_run_out()
    {
        _registry.Rows = [Row(1)];
        var receipt = Start();

        Seconds(12.7);
        Assert.False(receipt.IsCompleted);
        Seconds(0.1);

        Assert.Equal((0, 1), (receipt.Outcome().Confirmed, receipt.Outcome().Waited));
        Assert.InRange(receipt.Outcome().Elapsed, Terms.Wait, Terms.Wait + TimeSpan.FromMilliseconds(5));
    }

    [Fact]
    public void What_has_passed_since_the_commit_counts()
    {
        _registry.Rows = [Row(1)];
        var receipt = Start(secondsAgo: 12);

        Seconds(0.8);

        Assert.True(receipt.IsCompletedSuccessfully);
    }

    [Fact]
    public void Who_is_reaped_meanwhile_is_not_waited_for()
    {
        _registry.Rows = [Row(1)];
        var receipt = Start();
        _registry.Rows = [];

        Seconds(0.6);

        Assert.Equal((0, 1), (receipt.Outcome().Confirmed, receipt.Outcome().Waited));
    }

    [Fact]
    public void A_registry_that_fails_is_read_again()
    {
        _registry.Rows = null;
        var receipt = Start();
        Seconds(13);
        Assert.False(receipt.IsCompleted);

        _registry.Rows = [];
        Seconds(0.6);

        Assert.True(receipt.IsCompletedSuccessfully);
    }

    [Fact]
    public void Who_gives_up_acknowledges_nothing()
    {
        _registry.Rows = [Row(1)];
        var receipt = Start();

        _process.Run(_gaveUp.Cancel);
        _process.Settle();

        Assert.True(receipt.IsCanceled);
    }

    [Fact]
    public void Whoever_serves_another_app_is_neither_asked_nor_waited_for()
    {
        _registry.Rows = [Row(1), Row(2, "b") with { App = "elsewhere" }, Row(3, "c") with { App = "public" }];
        _transport.Confirm = address => Task.FromResult<IReadOnlyCollection<Guid>>(address == "a" ? [Id(1)] : [Id(3)]);

        var receipt = Start().Outcome();

        Assert.Equal((2, 0, 0), (receipt.Confirmed, receipt.Waited, receipt.Excluded));
        Assert.Equal(["a", "c"], _transport.Pushed.Order());
    }

    [Fact]
    public async Task Entries_of_two_apps_are_not_confirmed_together()
    {
        var revoker = new Revoker(_registry, _transport, Terms, _ => true, _process.Clock);

        await Assert.ThrowsAsync<ArgumentException>(() => revoker.ConfirmAsync([App("a1"), App("a2")], 0, CancellationToken.None));
    }

    [Fact]
    public void The_last_part_of_a_millisecond_is_not_spent_asking()
    {
        _registry.Rows = [Row(1)];
        _transport.Confirm = _ => Task.FromException<IReadOnlyCollection<Guid>>(new InvalidOperationException("not there"));

        // After the first round half a millisecond is left. This clock throws if somebody waits for it without resting.
        var receipt = Start(secondsAgo: 12.25 - 0.0005);
        Seconds(0.55);

        Assert.True(receipt.IsCompletedSuccessfully);
        Assert.InRange(_transport.Pushed.Count, 1, 3);
    }

    private void Seconds(double seconds) => _process.Pass(TimeSpan.FromSeconds(seconds));

    private Task<RevocationReceipt> Start(double secondsAgo = 0)
    {
        var revoker = new Revoker(_registry, _transport, Terms, _ => true, _process.Clock);
        var committedAt = _process.Clock.GetTimestamp() - TimeSpan.FromSeconds(secondsAgo).Ticks;
        return _process.Run(() => revoker.ConfirmAsync([Session(Name()) with { Position = 7 }, User(1) with { Position = 5 }], committedAt, _gaveUp.Token));
    }

    private sealed class Registry : IHolderRegistry
    {
        /// <summary>Null: it fails.</summary>
        public IReadOnlyList<HolderRow>? Rows { get; set; }

        public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public async Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken)
        {
            var rows = Rows?.Where(row => row.App is null || row.App == app).ToList();
            await Task.Yield();
            return rows ?? throw new InvalidOperationException("no answer");
        }

        public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class Transport : IHolderTransport
    {
        public List<string> Pushed { get; } = [];

        /// <summary>Null: no answer.</summary>
        public Func<string, Task<IReadOnlyCollection<Guid>>>? Confirm { get; set; }

        public Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
        {
            Pushed.Add(address);
            return Confirm?.Invoke(address) ?? new TaskCompletionSource<IReadOnlyCollection<Guid>>().Task;
        }
    }
}
