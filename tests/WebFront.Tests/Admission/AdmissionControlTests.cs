using System.Diagnostics.Metrics;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Telemetry;
using Grid.WebFront.Admission;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Grid.WebFront.Tests.Admission;

/// <summary>Which requests are worked on when there are too many: what matters more goes on longer, and nothing stops altogether.</summary>
public sealed class AdmissionControlTests : IDisposable
{
    private const int Max = 64;

    private static readonly Asker Back = Asker.Of(AppKey.Public);

    private static readonly RequestClass[] All = [RequestClass.List, RequestClass.Verify, RequestClass.Create, RequestClass.Refresh, RequestClass.Revoke, RequestClass.Forward, RequestClass.Ask];

    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<GridMetrics>().BuildServiceProvider();
    private readonly FakeTimeProvider _clock = new();
    private readonly CapturedLog _log = new();
    private readonly AdmissionControl _admission;

    public AdmissionControlTests() => _admission = New(new AdmissionLimits(Max));

    public void Dispose()
    {
        _admission.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void A_flood_of_one_class_leaves_room_for_every_other()
    {
        foreach (var flood in All)
        {
            using var admission = New(new AdmissionLimits(Max));
            Assert.True(Fill(admission, flood) > 0);

            Assert.All(All.Where(other => other != flood), other => Assert.True(admission.Enter(other, Back).IsTaken, $"{other} is shut out by {flood}"));
        }
    }

    [Fact]
    public void The_more_a_class_matters_the_more_of_it_goes_on_at_once()
    {
        var alone = All.Select(kind =>
        {
            using var admission = New(new AdmissionLimits(Max));
            return Fill(admission, kind);
        }).ToList();

        Assert.Equal([8, 32, 48, 64, 256, 16, 16], alone);
    }

    [Fact]
    public void What_matters_less_stops_first_and_what_matters_more_goes_on()
    {
        Fill(_admission, RequestClass.Create);

        // Checks and lists have but their own places left.
        Assert.Equal(Max / 8, Fill(_admission, RequestClass.Verify));
        Assert.Equal(Max / 16, Fill(_admission, RequestClass.List));
        Assert.True(Fill(_admission, RequestClass.Refresh) >= Max / 4);
        Assert.Equal(Max * 4, Fill(_admission, RequestClass.Revoke));
    }

    [Fact]
    public void Each_class_has_places_that_no_other_takes()
    {
        Assert.Equal(Max, Fill(_admission, RequestClass.Refresh));

        Assert.Equal([4, 8, 8, 0], All.Take(4).Select(kind => Fill(_admission, kind)));
    }

    [Fact]
    public void The_front_gets_half_of_a_class_and_the_core_api_the_rest()
    {
        foreach (var kind in All)
        {
            using var admission = New(new AdmissionLimits(Max));
            var alone = Fill(admission, kind, Asker.Front);

            Assert.True(admission.Enter(kind, Back).IsTaken, $"the front has all of {kind}");
            Assert.Equal(new AdmissionLimits(Max).Mark(kind) / 2, alone);
        }
    }

    [Fact]
    public void A_place_that_is_given_back_is_taken_again_also_by_many_threads_at_once()
    {
        Parallel.For(0, 20_000, i =>
        {
            using var place = _admission.Enter(All[i % All.Length], i % 2 == 0 ? Asker.Front : App(i % 5));
        });

        Assert.Equal(Max, Fill(_admission, RequestClass.Refresh));
    }

    [Fact]
    public void What_has_no_class_is_always_admitted()
    {
        foreach (var kind in All)
        {
            Fill(_admission, kind);
        }

        Assert.True(_admission.Enter(RequestClass.None, Asker.Front).IsTaken);
        Assert.False(_admission.IsFull(RequestClass.None, Asker.Front));
    }

    [Fact]
    public void To_ask_takes_no_place_and_agrees_with_what_would_come()
    {
        foreach (var kind in All)
        {
            Assert.False(_admission.IsFull(kind, Back));
            Fill(_admission, kind);
            Assert.True(_admission.IsFull(kind, Back));
        }
    }

    [Fact]
    public void Refusals_are_counted_each_and_logged_every_few_seconds()
    {
        var refused = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Name: "grid.requests.refused", Meter.Scope: var scope } && ReferenceEquals(scope, _metrics.GetRequiredService<IMeterFactory>()))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            Assert.Equal("list", tags[0].Value);
            refused = count;
        });
        listener.Start();
        Fill(_admission, RequestClass.List);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.False(_admission.Enter(RequestClass.List, Back).IsTaken);
        }

        _clock.Advance(TimeSpan.FromSeconds(5));
        _clock.Advance(TimeSpan.FromMinutes(1));

        listener.RecordObservableInstruments();

        // One more by filling up.
        Assert.Equal(10_001, refused);
        Assert.Equal(
            ["Overload: refused a request (list) with 503, there are too many requests at once. Further ones are counted", "Overload: refused 10000 more requests with 503 (list 10000)", "Overload is over; 10001 requests got 503 in 00:00:00"],
            _log.Lines.Select(line => line.Text));
    }

    [Fact]
    public void What_has_begun_is_counted_and_never_refused()
    {
        var all = Fill(_admission, RequestClass.Ask);
        var begun = _admission.Enter(RequestClass.Ask, Back, hasBegun: true);
        Assert.True(begun.IsTaken);

        // It is one of those that others have to wait for.
        var places = new List<AdmissionControl.Place> { begun };
        for (var i = 0; i < all; i++)
        {
            Assert.False(_admission.Enter(RequestClass.Ask, Back).IsTaken);
            places.Add(_admission.Enter(RequestClass.Ask, Back, hasBegun: true));
        }

        places.ForEach(place => place.Dispose());
        Assert.Equal(0, Fill(_admission, RequestClass.Ask));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(100_000)]
    public void Every_size_that_can_be_set_has_room_for_each_class_at_each_door(int max)
    {
        foreach (var kind in All)
        {
            using var admission = New(new AdmissionLimits(max));
            Assert.True(admission.Enter(kind, Asker.Front).IsTaken);
            Assert.True(admission.Enter(kind, Back).IsTaken);
        }
    }

    private AdmissionControl New(AdmissionLimits limits)
    {
        // The factory's disposal would dispose of the log.
        var loggers = LoggerFactory.Create(logging => logging.AddProvider(_log));
        return new AdmissionControl(limits, _metrics.GetRequiredService<GridMetrics>(), _clock, loggers.CreateLogger<AdmissionControl>());
    }

    private static Asker App(int number) => Asker.Of(new AppKey("", $"app-{number}"));

    private static int Fill(AdmissionControl admission, RequestClass kind, Asker? from = null)
    {
        var taken = 0;
        while (admission.Enter(kind, from ?? Back).IsTaken)
        {
            taken++;
        }

        return taken;
    }
}
