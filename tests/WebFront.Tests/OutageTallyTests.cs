using Grid.Revocation.Outages;
using Microsoft.Extensions.Time.Testing;

namespace Grid.WebFront.Tests;

public sealed class OutageTallyTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly List<string> _lines = [];
    private readonly OutageTally _tally;

    public OutageTallyTests() => _tally = new OutageTally(
        _clock,
        (kind, failure) => _lines.Add($"{kind}: {failure?.Message}"),
        more => _lines.Add($"{more.Count} more ({more.Kinds})"),
        all => _lines.Add($"over: {all.Count} in {all.Lasted.TotalSeconds} s ({all.Kinds})"));

    public void Dispose() => _tally.Dispose();

    [Fact]
    public void An_outage_is_told_once_for_each_kind_then_counted_and_its_end_is_told()
    {
        var cause = new IOException("no route");
        for (var second = 0; second < 12; second++)
        {
            for (var i = 0; i < 1_000; i++)
            {
                _tally.Met(i % 10 == 0 ? "refresh" : "create", cause);
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        _clock.Advance(TimeSpan.FromMinutes(1));
        _tally.Met("create", cause);

        Assert.Equal(
            [
                "refresh: no route", "create: no route", "4998 more (refresh 499, create 4499)", "5000 more (refresh 500, create 4500)",
                "2000 more (refresh 200, create 1800)", "over: 12000 in 11 s (refresh, create)", "create: no route",
            ],
            _lines);
    }

    [Fact]
    public void One_refusal_is_one_line_and_an_end()
    {
        _tally.Met("create", null);
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(["create: ", "over: 1 in 0 s (create)"], _lines);
    }

    [Fact]
    public void Kinds_beyond_measure_are_one()
    {
        for (var i = 0; i < 1_000; i++)
        {
            _tally.Met($"kind {i}", null);
        }

        Assert.Equal(33, _lines.Count);
    }
}
