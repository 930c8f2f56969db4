using Grid.Abstractions;
using Grid.Storage.Grouping;

namespace Grid.Storage.Tests;

/// <summary>Grouping without a database.</summary>
public sealed class GroupQueueTests
{
    [Fact]
    public async Task What_came_while_a_group_was_away_goes_together_and_a_repeated_key_goes_later()
    {
        var clock = new HandClock();
        var gate = new Gate();
        await using var queue = new GroupQueue<int, string, string>(1, clock, _ => false, gate.RunAsync);

        var first = queue.AddAsync(0, "first", CancellationToken.None);
        await gate.Entered.WaitAsync();
        Task<string>[] rest =
        [
            queue.AddAsync(1, "a", CancellationToken.None).AsTask(),
            queue.AddAsync(2, "b", CancellationToken.None).AsTask(),
            queue.AddAsync(1, "c", CancellationToken.None).AsTask(),
        ];
        gate.Open.Release(3);
        await first;

        Assert.Equal(["a", "b", "c"], await Task.WhenAll(rest));
        Assert.Equal(["first", "a b", "c"], gate.Groups);
    }

    [Fact]
    public async Task Work_that_waited_too_long_is_refused_unsent()
    {
        var clock = new HandClock();
        var gate = new Gate();
        await using var queue = new GroupQueue<int, string, string>(1, clock, _ => false, gate.RunAsync);

        var first = queue.AddAsync(0, "first", CancellationToken.None);
        await gate.Entered.WaitAsync();
        var late = queue.AddAsync(1, "late", CancellationToken.None);
        clock.Seconds += 3;
        var fresh = queue.AddAsync(2, "fresh", CancellationToken.None);
        gate.Open.Release(2);

        Assert.Equal("first", await first);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await late);
        Assert.Equal("fresh", await fresh);
        Assert.Equal(["first", "fresh"], gate.Groups);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_disturb_the_others()
    {
        var gate = new Gate();
        await using var queue = new GroupQueue<int, string, string>(1, new HandClock(), _ => false, gate.RunAsync);
        using var impatient = new CancellationTokenSource();

        var first = queue.AddAsync(0, "first", CancellationToken.None);
        await gate.Entered.WaitAsync();
        var left = queue.AddAsync(1, "left", impatient.Token);
        var stays = queue.AddAsync(2, "stays", CancellationToken.None);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await left);
        gate.Open.Release(2);
        await first;

        Assert.Equal("stays", await stays);
        Assert.Equal(["first", "left stays"], gate.Groups);
    }

    [Fact]
    public async Task One_bad_piece_fails_alone_in_few_tries_wherever_it_stands()
    {
        var tries = 0;
        var gate = new SemaphoreSlim(0);
        await using var queue = new GroupQueue<int, int, int>(1, new HandClock(), failure => failure is FormatException, async group =>
        {
            await gate.WaitAsync();
            tries++;
            if (group.Any(work => work.Input == 77))
            {
                throw new FormatException();
            }

            foreach (var work in group)
            {
                work.Complete(work.Input);
            }
        });

        var first = queue.AddAsync(-1, -1, CancellationToken.None).AsTask();
        Task<int>[] all = [.. Enumerable.Range(0, 200).Select(i => queue.AddAsync(i, i, CancellationToken.None).AsTask())];
        gate.Release(1000);

        await first;
        await Assert.ThrowsAsync<FormatException>(() => all[77]);
        foreach (var (i, piece) in all.Index().Where(piece => piece.Index != 77))
        {
            Assert.Equal(i, await piece);
        }

        Assert.InRange(tries, 2, 1 + 1 + (2 * 8));
    }

    [Fact]
    public async Task A_group_whose_outcome_nobody_knows_is_not_tried_again()
    {
        var tries = 0;
        await using var queue = new GroupQueue<int, int, int>(1, new HandClock(), failure => failure is FormatException, group =>
        {
            tries += group.Count;
            throw new StoreUnavailableException("away");
        });

        Task<int>[] all = [.. Enumerable.Range(0, 20).Select(i => queue.AddAsync(i, i, CancellationToken.None).AsTask())];

        foreach (var piece in all)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => piece);
        }

        Assert.Equal(20, tries);
    }

    private sealed class HandClock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    private sealed class Gate
    {
        public SemaphoreSlim Entered { get; } = new(0);

        public SemaphoreSlim Open { get; } = new(0);

        public List<string> Groups { get; } = [];

        public async Task RunAsync(IReadOnlyList<Grouped<int, string, string>> group)
        {
            Groups.Add(string.Join(' ', group.Select(w => w.Input)));
            Entered.Release();
            await Open.WaitAsync();
            foreach (var work in group)
            {
                work.Complete(work.Input);
            }
        }
    }
}
