using Grid.Abstractions.Apps;
using Grid.Abstractions.Telemetry;
using Grid.WebFront.Admission;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grid.WebFront.Tests.Admission;

/// <summary>One app alone may have all of a class; several share it, and whoever asks for less than a share gets it whatever the others do.</summary>
public sealed class FairShareTests : IDisposable
{
    private const int Max = 64;

    private static readonly RequestClass[] All = [RequestClass.List, RequestClass.Verify, RequestClass.Create, RequestClass.Refresh, RequestClass.Revoke, RequestClass.Forward, RequestClass.Ask];

    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<GridMetrics>().BuildServiceProvider();
    private readonly AdmissionControl _admission;

    public FairShareTests() => _admission = New();

    public static TheoryData<string> Classes => [.. All.Select(kind => $"{kind}")];

    public void Dispose()
    {
        _admission.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Whoever_has_all_of_a_class_keeps_nobody_else_from_a_share(string name)
    {
        var kind = Enum.Parse<RequestClass>(name);
        var all = Fill(kind, App(0)).Count;

        // A half of it, since there are two; of what is left beside the front, which is a third.
        Assert.Equal(all / 2, Fill(kind, App(1)).Count);
        Assert.InRange(Fill(kind, Asker.Front).Count, all / 3, all / 2);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Whoever_has_more_than_a_share_waits_until_the_others_have_theirs(string name)
    {
        var kind = Enum.Parse<RequestClass>(name);
        var hostile = Fill(kind, App(0));
        var all = hostile.Count;
        var other = Fill(kind, App(1));
        while (hostile.Count > all / 2)
        {
            Assert.False(_admission.Enter(kind, App(0)).IsTaken);
            GiveBack(hostile);
        }

        Assert.Equal(all, hostile.Count + other.Count);
        Assert.False(_admission.Enter(kind, App(0)).IsTaken);
        Assert.False(_admission.Enter(kind, App(1)).IsTaken);

        // What one of two leaves unused is the other's again.
        GiveBack(other);
        using var more = _admission.Enter(kind, App(0));
        Assert.True(more.IsTaken);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Who_asks_for_less_than_a_share_is_never_refused_while_others_send_without_limit(int seed)
    {
        const int Hostile = 3;
        const int Quiet = 3;
        var random = new Random(seed);
        var kind = RequestClass.Create;
        var most = new AdmissionLimits(Max).Mark(kind);
        var share = most / (Hostile + Quiet);
        List<AdmissionControl.Place>[] held = [.. Enumerable.Range(0, Hostile + Quiet).Select(_ => new List<AdmissionControl.Place>())];
        var served = new int[Hostile + Quiet];
        for (var turn = 0; turn < 20_000; turn++)
        {
            var first = random.Next(Hostile);
            foreach (var app in Enumerable.Range(first, Hostile).Select(each => each % Hostile))
            {
                foreach (var place in Fill(kind, App(app)))
                {
                    held[app].Add(place);
                    served[app]++;
                }
            }

            var quiet = Hostile + random.Next(Quiet);
            if (held[quiet].Count < share)
            {
                var place = _admission.Enter(kind, App(quiet));
                Assert.True(place.IsTaken, $"app {quiet}, which has {held[quiet].Count}, was refused in turn {turn}");
                held[quiet].Add(place);
                served[quiet]++;
            }

            // Work is done in the order in which it is there, so whoever has more of it has more done.
            for (var done = 0; done < 4; done++)
            {
                var all = random.Next(held.Sum(own => own.Count));
                GiveBack(held.First(own => (all -= own.Count) < 0));
            }

            Assert.InRange(held.Sum(own => own.Count), 0, most * 2);
        }

        // Those who send without limit get what the quiet ones leave, and as much each: a tenth more or less.
        var hostile = served.Take(Hostile).ToList();
        Assert.InRange(hostile.Min(), hostile.Average() * 0.9, hostile.Average());
        Assert.All(served.Skip(Hostile), count => Assert.True(count > 20_000 / Quiet / 2));
    }

    [Fact]
    public void A_revocation_of_a_quiet_app_is_done_while_another_app_sends_revocations_without_limit()
    {
        Fill(RequestClass.Revoke, App(0));
        for (var i = 0; i < 100; i++)
        {
            using var place = _admission.Enter(RequestClass.Revoke, App(1));
            Assert.True(place.IsTaken);
        }

        Assert.False(_admission.Enter(RequestClass.Revoke, App(0)).IsTaken);
    }

    [Fact]
    public void Who_floods_all_classes_takes_no_share_of_another_in_any()
    {
        foreach (var kind in All.Reverse())
        {
            Fill(kind, App(0));
        }

        Assert.All(All, kind => Assert.InRange(Fill(kind, App(1)).Count, new AdmissionLimits(Max).Own(kind) / 2, int.MaxValue));
    }

    [Fact]
    public void Browsers_share_as_an_app_of_their_own_so_strangers_take_no_place_of_the_apps_back_ends()
    {
        Fill(RequestClass.Refresh, Asker.Front);

        Assert.Equal(Max / 2, Fill(RequestClass.Refresh, App(0)).Count);
        Assert.Equal(Max / 3, Fill(RequestClass.Refresh, App(1)).Count);
    }

    [Fact]
    public void To_ask_takes_no_place_and_no_memory()
    {
        Fill(RequestClass.Create, App(0));
        for (var i = 0; i < 10_000; i++)
        {
            Assert.False(_admission.IsFull(RequestClass.Create, App(1)));
            Assert.False(_admission.IsFull(RequestClass.Create, App(10 + i)));
        }

        Assert.Equal(1, _admission.AppsKept);
        Assert.Equal(24, Fill(RequestClass.Create, App(1)).Count);
    }

    [Fact]
    public void To_ask_agrees_with_what_would_come_for_each_app()
    {
        foreach (var kind in All)
        {
            foreach (var app in Enumerable.Range(0, 4).Select(App))
            {
                Assert.False(_admission.IsFull(kind, app));
                Fill(kind, app);
                Assert.True(_admission.IsFull(kind, app));
            }
        }
    }

    [Fact]
    public void Apps_that_have_nothing_in_progress_are_forgotten()
    {
        using var stays = _admission.Enter(RequestClass.Refresh, App(0));
        for (var i = 1; i < 100_000; i++)
        {
            using var place = _admission.Enter(RequestClass.Refresh, App(i));
            Assert.True(place.IsTaken);
        }

        Assert.InRange(_admission.AppsKept, 1, 2048);
        Assert.Equal(Max - 1, Fill(RequestClass.Refresh, App(0)).Count);
    }

    [Fact]
    public void More_apps_than_places_are_refused_when_there_are_twice_as_many_requests_as_places()
    {
        var taken = Enumerable.Range(0, 1000).Count(app => _admission.Enter(RequestClass.Refresh, App(app)).IsTaken);

        Assert.Equal(Max * 2, taken);
    }

    [Fact]
    public void What_many_threads_take_and_give_back_leaves_nothing_behind()
    {
        Parallel.For(0, 50_000, i =>
        {
            using var place = _admission.Enter(All[i % All.Length], i % 7 == 0 ? Asker.Front : App(i % 3000));
        });

        Assert.All(All, kind =>
        {
            var all = Fill(kind, App(1));
            Assert.Equal(all.Count / 2, Fill(kind, App(2)).Count);
            all.ForEach(place => place.Dispose());
        });
    }

    private static Asker App(int number) => Asker.Of(new AppKey("", $"app-{number}"));

    private static void GiveBack(List<AdmissionControl.Place> held)
    {
        held[^1].Dispose();
        held.RemoveAt(held.Count - 1);
    }

    private AdmissionControl New() => new(new AdmissionLimits(Max), _metrics.GetRequiredService<GridMetrics>(), TimeProvider.System, NullLogger<AdmissionControl>.Instance);

    private List<AdmissionControl.Place> Fill(RequestClass kind, Asker from)
    {
        List<AdmissionControl.Place> taken = [];
        for (var place = _admission.Enter(kind, from); place.IsTaken; place = _admission.Enter(kind, from))
        {
            taken.Add(place);
        }

        return taken;
    }
}
