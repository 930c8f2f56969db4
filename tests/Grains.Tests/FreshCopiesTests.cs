using Grid.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Grid.Grains.Tests;

/// <summary>Copies that are fresh for a second and usable for a minute.</summary>
public sealed class FreshCopiesTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly List<TaskCompletionSource<string?>> _reads = [];
    private readonly FreshCopies<string, string, string> _copies;

    public FreshCopiesTests() => _copies = new(
        _clock,
        new CopyRules<string>(_ => TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), "It could not be read."),
        (key, source, known) =>
        {
            _reads.Add(new TaskCompletionSource<string?>());
            return _reads[^1].Task;
        });

    [Fact]
    public async Task A_fresh_copy_is_handed_out_without_a_read()
    {
        await ReadAsync("first");
        Pass(0.9);

        Assert.True(_copies.TryGetFresh("key", out var value));
        Assert.Equal("first", value);
        Assert.Equal("first", await GetAsync());
        Assert.Single(_reads);
    }

    [Fact]
    public async Task A_copy_that_is_not_fresh_is_read_again_before_it_is_handed_out()
    {
        await ReadAsync("first");
        Pass(1.1);
        Assert.False(_copies.TryGetFresh("key", out _));

        var second = GetAsync();
        Answer("second");

        Assert.Equal("second", await second);
    }

    [Fact]
    public async Task Those_who_ask_at_the_same_time_share_a_read()
    {
        Task<string?>[] all = [GetAsync(), GetAsync(), ReloadAsync()];
        Answer("first");

        Assert.Equal(["first", "first", "first"], await Task.WhenAll(all));
        Assert.Single(_reads);
    }

    [Fact]
    public async Task While_nothing_answers_one_caller_a_second_waits_a_moment_and_the_others_get_the_copy()
    {
        await ReadAsync("first");
        Pass(1.1);

        var waits = GetAsync();
        Assert.False(waits.IsCompleted);
        Pass(0.3);
        Assert.Equal("first", await waits);

        Assert.Equal("first", await GetAsync());
        Pass(1.1);
        Assert.False(GetAsync().IsCompleted);
        Assert.Equal(2, _reads.Count);
    }

    [Fact]
    public async Task What_was_read_too_late_for_its_caller_is_there_for_the_next()
    {
        await ReadAsync("first");
        Pass(1.1);
        var waits = GetAsync();
        Pass(0.3);
        await waits;

        Answer("second");
        Pass(0.5);

        Assert.Equal("second", await GetAsync());
    }

    [Fact]
    public async Task A_copy_that_is_older_than_it_may_be_is_an_outage()
    {
        await ReadAsync("first");
        Pass(61);

        var late = GetAsync();
        _reads[^1].SetException(new TimeoutException());

        await Assert.ThrowsAsync<StoreUnavailableException>(() => late);
    }

    [Fact]
    public async Task What_does_not_exist_is_read_each_time()
    {
        var none = GetAsync();
        Answer(null);
        Assert.Null(await none);
        Assert.Equal(0, _copies.Count);

        Assert.Equal("made meanwhile", await ReadAsync("made meanwhile"));
    }

    [Fact]
    public async Task What_has_ceased_to_exist_is_not_handed_out_again()
    {
        await ReadAsync("first");
        Pass(1.1);

        Assert.Null(await ReadAsync(null));
        Assert.Equal(0, _copies.Count);
    }

    [Fact]
    public async Task A_read_that_began_before_a_change_is_neither_kept_nor_joined()
    {
        var early = GetAsync();
        _copies.Forget("key");
        var late = GetAsync();
        Assert.Equal(2, _reads.Count);

        _reads[1].SetResult("after");
        Assert.Equal("after", await late);
        _reads[0].SetResult("before");
        Assert.Equal("before", await early);

        Assert.True(_copies.TryGetFresh("key", out var value));
        Assert.Equal("after", value);
    }

    [Fact]
    public async Task A_read_that_ends_after_a_change_leaves_nothing_behind()
    {
        var early = GetAsync();
        _copies.ForgetAll(key => key == "key");
        Answer("before");
        await early;

        Assert.False(_copies.TryGetFresh("key", out _));
        Assert.Equal(0, _copies.Count);
    }

    [Fact]
    public async Task A_change_that_is_announced_while_a_read_is_being_kept_is_not_lost()
    {
        FreshCopies<string, string, string>? copies = null;
        using var forgotten = new ManualResetEventSlim();
        Task? forgetting = null;
        copies = new(
            _clock,
            new CopyRules<string>(
                _ =>
                {
                    // Between the decision to keep it and the keeping: the other thread comes through now, or waits.
                    forgetting = Task.Run(() =>
                    {
                        copies!.Forget("key");
                        forgotten.Set();
                    });
                    forgotten.Wait(TimeSpan.FromMilliseconds(200));
                    return TimeSpan.FromSeconds(1);
                },
                TimeSpan.FromMinutes(1), "It could not be read."),
            (key, source, known) => Task.FromResult<string?>("before"));

        await copies.GetAsync("key", "source");
        await forgetting!;

        Assert.False(copies.TryGetFresh("key", out _));
    }

    [Fact]
    public async Task A_fresh_copy_is_reloaded_at_most_once_a_second()
    {
        await ReadAsync("first");
        Assert.Equal("first", await ReloadAsync());
        Assert.Single(_reads);

        Pass(1.1);
        await ReadAsync("second");
        Pass(0.9);
        Assert.Equal("second", await ReloadAsync());
        Assert.Equal(2, _reads.Count);
    }

    [Fact]
    public async Task A_reload_waits_longer_than_a_caller_who_could_use_the_copy()
    {
        await ReadAsync("first");
        Pass(1.1);

        var reload = ReloadAsync();
        Pass(4.9);
        Assert.False(reload.IsCompleted);
        Answer("second");

        Assert.Equal("second", await reload);
    }

    [Fact]
    public async Task A_reload_that_fails_comes_back_with_the_copy()
    {
        await ReadAsync("first");
        Pass(1.1);

        var reload = ReloadAsync();
        _reads[^1].SetException(new StoreUnavailableException("away"));

        Assert.Equal("first", await reload);
    }

    private Task<string?> GetAsync() => _copies.GetAsync("key", "source").AsTask();

    private Task<string?> ReloadAsync() => _copies.ReloadAsync("key", "source").AsTask();

    private async Task<string?> ReadAsync(string? answer)
    {
        var value = GetAsync();
        Answer(answer);
        return await value;
    }

    private void Answer(string? value) => _reads[^1].SetResult(value);

    private void Pass(double seconds) => _clock.Advance(TimeSpan.FromSeconds(seconds));
}
