using Grid.Revocation.Registry;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Registry;

/// <summary>When a holder may be forgotten (r7).</summary>
public sealed class ReaperTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTime _clock = new();
    private readonly Reaper _reaper;

    public ReaperTests() => _reaper = new Reaper(_clock);

    [Fact]
    public void A_counter_that_stood_still_for_W_is_overdue()
    {
        Overdue(Row(1));
        _clock.Pass(Terms.Wait - Tick);
        Assert.Empty(Overdue(Row(1)));

        _clock.Pass(Tick);

        Assert.Equal(Id(1), Assert.Single(Overdue(Row(1))).Incarnation);
    }

    [Fact]
    public void A_counter_that_moves_is_not()
    {
        for (var counter = 0; counter < 10; counter++)
        {
            Assert.Empty(Overdue(Row(1, counter: counter)));
            _clock.Pass(2 * Terms.Wait);
        }
    }

    [Fact]
    public void Who_is_seen_for_the_first_time_has_all_its_W_before_it() => Assert.Empty(Overdue(Row(1, counter: 1_000)));

    [Fact]
    public void Each_has_the_W_of_its_own_lease()
    {
        Overdue(Row(1, lease: 2), Row(2, lease: 20));
        _clock.Pass(Terms.Wait);

        Assert.Equal(Id(1), Assert.Single(Overdue(Row(1, lease: 2), Row(2, lease: 20))).Incarnation);
    }

    [Fact]
    public void Who_left_and_is_listed_again_is_seen_for_the_first_time()
    {
        Overdue(Row(1));
        _clock.Pass(Terms.Wait);
        Overdue();

        Assert.Empty(Overdue(Row(1)));
    }

    [Fact]
    public void A_slow_answer_counts_against_the_reaper()
    {
        // The counter may have moved until the first answer came, and stood still only until the second question left.
        var asked = _clock.GetTimestamp();
        _clock.Pass(TimeSpan.FromSeconds(5));
        _reaper.Overdue([Row(1)], asked, _clock.GetTimestamp());
        _clock.Pass(Terms.Wait - TimeSpan.FromSeconds(1));
        asked = _clock.GetTimestamp();
        _clock.Pass(TimeSpan.FromSeconds(5));

        Assert.Empty(_reaper.Overdue([Row(1)], asked, _clock.GetTimestamp()));
    }

    [Fact]
    public async Task Who_renews_at_the_last_moment_stays()
    {
        var registry = new Registry { Rows = [Row(1), Row(2)] };
        await _reaper.ReapAsync(registry, CancellationToken.None);
        _clock.Pass(Terms.Wait);
        registry.RenewsMeanwhile = Id(1);

        var removed = await _reaper.ReapAsync(registry, CancellationToken.None);

        Assert.Equal(Id(2), Assert.Single(removed).Incarnation);
        Assert.Equal([(Id(1), 0L), (Id(2), 0L)], registry.Asked);
    }

    private IReadOnlyList<HolderRow> Overdue(params HolderRow[] rows) => _reaper.Overdue(rows, _clock.GetTimestamp(), _clock.GetTimestamp());

    private sealed class Registry : IHolderRegistry
    {
        public required IReadOnlyList<HolderRow> Rows { get; init; }

        public Guid RenewsMeanwhile { get; set; }

        public List<(Guid Incarnation, long Counter)> Asked { get; } = [];

        public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) => Task.FromResult(Rows);

        public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken)
        {
            Asked.Add((incarnation, counter));
            return Task.FromResult(incarnation != RenewsMeanwhile);
        }
    }
}
