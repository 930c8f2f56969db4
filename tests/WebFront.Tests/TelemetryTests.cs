using System.Diagnostics.Metrics;
using Grid.Abstractions.Telemetry;
using Grid.Client;
using Grid.Revocation.Registry;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Grid.WebFront.Tests;

/// <summary>Each instrument counts what it says, with the attributes of <c>docs/telemetry.md</c>.</summary>
public sealed class TelemetryTests(CoreHost core) : IDisposable
{
    private readonly List<IDisposable> _collectors = [];

    public void Dispose() => _collectors.ForEach(collector => collector.Dispose());

    [Fact]
    public async Task Sessions_are_counted_as_they_are_made_refreshed_reused_and_revoked()
    {
        var created = Collect<long>("grid.sessions.created");
        var activated = Collect<long>("grid.sessions.activated");
        var refreshed = Collect<long>("grid.sessions.refreshed");
        var revoked = Collect<long>("grid.sessions.revoked");
        var lag = Collect<double>("grid.revocation.lag");
        var signing = Collect<double>("grid.token.signing.duration");
        var store = Collect<double>("grid.store.operation.duration");
        var reusedBefore = Total("grid.sessions.reuse_detected", ("grid.reuse.kind", "stale_lineage"));
        var app = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();

        var session = await core.CreateSessionAsync(app);
        var first = $"{session["refreshToken"]!["token"]}";
        var second = (await core.RefreshAsync(app, first)).Json;
        var third = (await core.RefreshAsync(app, $"{second["refreshToken"]!["token"]}")).Json;
        Assert.Equal("OK", $"{third["status"]}");
        Assert.Equal("TOKEN_THEFT_DETECTED", (await core.RefreshAsync(app, first)).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, "none")).Word);
        await core.CreateSessionAsync(app, "several");
        await core.CreateSessionAsync(app, "several");
        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session/remove", new { userId = "several" })).Word);

        Assert.Equal(3, Sum(created));
        Assert.True(Sum(activated) >= 3);
        Assert.Equal(2, Sum(refreshed, ("grid.verdict", "ok")));
        Assert.Equal(1, Sum(refreshed, ("grid.verdict", "token_theft")));
        Assert.Equal(1, Sum(refreshed, ("grid.verdict", "unauthorised")));
        Assert.Equal(reusedBefore + 1, Total("grid.sessions.reuse_detected", ("grid.reuse.kind", "stale_lineage")));
        Assert.Equal(1, Sum(revoked, ("grid.revocation.reason", "refresh_token_reuse")));
        Assert.Equal(2, Sum(revoked, ("grid.revocation.reason", "requested")));
        Assert.Single(Of(lag, ("grid.revocation.reason", "requested")));
        Assert.All(lag.GetMeasurementSnapshot(), measured => Assert.InRange(measured.Value, 0, 120));
        Assert.Equal(5, signing.GetMeasurementSnapshot().Count);
        Assert.NotEmpty(Of(store, ("grid.store.operation", "write")));
        Assert.DoesNotContain(store.GetMeasurementSnapshot(), measured => measured.Tags.ContainsKey("error.type"));
        Assert.Equal("s", lag.Instrument!.Unit);
    }

    [Fact]
    public async Task Checks_are_counted_by_door_and_verdict()
    {
        var verified = Collect<long>("grid.sessions.verified");
        var app = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        verified.RecordObservableInstruments();
        var before = Last(verified);
        var made = await core.CreateSessionAsync(app);
        var unseen = $"{(await core.CreateSessionAsync(app))["accessToken"]!["token"]}";
        var access = $"{made["accessToken"]!["token"]}";

        Assert.Equal("OK", (await core.VerifyAsync(app, access)).Word);
        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, access + "x")).Word);
        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { $"{made["session"]!["handle"]}" } })).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, access)).Word);
        core.Store.TakeAway(app["/appid-".Length..]);
        Assert.Equal(503, (await core.VerifyAsync(app, unseen)).Status);
        core.Store.GiveBack(app["/appid-".Length..]);
        verified.Clear();
        verified.RecordObservableInstruments();
        var after = Last(verified);

        Assert.All((string[])["ok", "try_refresh", "unauthorised", "unavailable"], verdict =>
            Assert.Equal(1, after.GetValueOrDefault(("core", verdict)) - before.GetValueOrDefault(("core", verdict))));
    }

    [Fact]
    public async Task A_token_that_is_accepted_on_trust_is_counted_besides()
    {
        var before = Total("grid.sessions.accepted_unchecked");
        var app = await core.CreateAppAsync(new { stale_session_behaviour = "BOUNDED" });
        await core.HeardOfAppsAsync();
        var access = $"{(await core.CreateSessionAsync(app))["accessToken"]!["token"]}";
        core.Store.TakeAway(app["/appid-".Length..]);

        Assert.Equal("OK", (await core.VerifyAsync(app, access)).Word);

        core.Store.GiveBack(app["/appid-".Length..]);
        Assert.Equal(before + 1, Total("grid.sessions.accepted_unchecked"));
    }

    [Fact]
    public async Task A_holder_that_does_not_confirm_is_counted()
    {
        var before = Total("grid.holders.waited_out");
        var app = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        var address = core.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString();
        var lease = TimeSpan.FromSeconds(2);

        // On a busy machine it may have been removed before the revocation has come to ask who is there.
        for (var tries = 0; Total("grid.holders.waited_out") == before; tries++)
        {
            Assert.True(tries < 10, "Nobody was waited for.");
            var session = await core.CreateSessionAsync(app);
            await core.Services.GetRequiredService<IHolderStore>().RegisterAsync(
                new HolderRow { Incarnation = Guid.NewGuid(), Kind = HolderKind.Silo, Name = "gone", Address = address, Lease = lease }, TestContext.Current.CancellationToken);
            Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { $"{session["session"]!["handle"]}" } })).Word);
        }

        Assert.Equal(before + 1, Total("grid.holders.waited_out"));
    }

    [Fact]
    public async Task Gauges_show_what_the_silo_holds()
    {
        var app = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        var refreshed = (await core.RefreshAsync(app, $"{(await core.CreateSessionAsync(app))["refreshToken"]!["token"]}")).Json;
        Assert.Equal("OK", (await core.VerifyAsync(app, $"{refreshed["accessToken"]!["token"]}")).Word);

        Assert.True(Read<int>("grid.sessions.active").Single().Value >= 1);
        Assert.True(Read<int>("grid.sessions.remembered").Single().Value >= 1);
        Assert.Equal(1, Read<int>("grid.lease.held").Single().Value);
        Assert.InRange(Read<double>("grid.lease.age").Single().Value, 0, 60);
        Assert.Equal(["change_notices", "store_writes"], Read<int>("grid.queue.length").Select(queue => $"{queue.Tags["grid.queue"]}").Order(StringComparer.Ordinal));
        for (var tries = 0; !Read<int>("grid.holders").Any(kind => kind.Tags["grid.holder.kind"] is "silo" && kind.Value >= 1); tries++)
        {
            Assert.True(tries < 600, "The registry is never read.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void What_others_report_is_shown_with_bounded_attributes()
    {
        var metrics = core.Services.GetRequiredService<GridMetrics>();
        var store = Collect<double>("grid.store.operation.duration");
        metrics.Refused("of_a_test");
        metrics.Unconfirmed(Abstractions.Sessions.RevocationReason.BackupRestored);
        metrics.StoreEnded(metrics.StartStore(), "ListAppsAsync", "53100");

        Assert.Equal(1, Total("grid.requests.refused", ("grid.request.class", "of_a_test")));
        Assert.Equal(1, Total("grid.revocations.unconfirmed", ("grid.revocation.reason", "backup_restored")));
        Assert.Single(Of(store, ("grid.store.operation", "list_apps"), ("error.type", "53100")));
        for (var tries = 0; ; tries++)
        {
            // The silo itself tells of its checks every second.
            metrics.Health([("of_a_test", 0), ("all", 0)]);
            var shown = Read<double>("grid.health.status").Select(check => $"{check.Tags["grid.health.check"]}").Order(StringComparer.Ordinal).ToList();
            if (shown is ["all", "of_a_test"])
            {
                break;
            }

            Assert.True(tries < 600, string.Join(' ', shown));
        }
    }

    [Fact]
    public void Counting_a_check_allocates_nothing_while_somebody_listens()
    {
        using var services = new ServiceCollection().AddMetrics().AddSingleton<HolderMetrics>().BuildServiceProvider();
        var metrics = services.GetRequiredService<HolderMetrics>();
        using var verified = new MetricCollector<long>(services.GetRequiredService<IMeterFactory>(), HolderMetrics.MeterName, "grid.sessions.verified");
        metrics.Checked(CheckDoor.Core, CheckResult.Ok);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            metrics.Checked(CheckDoor.Core, CheckResult.Ok);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        verified.RecordObservableInstruments();
        Assert.Equal(1001, verified.LastMeasurement!.Value);
    }

    [Fact]
    public async Task A_service_counts_its_own_checks_and_shows_its_lease()
    {
        await using var app = await ClientApp.StartAsync(core);
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        using var verified = new MetricCollector<long>(meters, HolderMetrics.MeterName, "grid.sessions.verified");
        using var held = new MetricCollector<int>(meters, HolderMetrics.MeterName, "grid.lease.held");
        using var age = new MetricCollector<double>(meters, HolderMetrics.MeterName, "grid.lease.age");
        using var remembered = new MetricCollector<int>(meters, HolderMetrics.MeterName, "grid.sessions.remembered");
        var session = await app.Sessions.CreateAsync(new SessionDraft { UserId = "of-a-service" }, TestContext.Current.CancellationToken);
        var token = new TokenToCheck(session.Tokens.Access.Text, false, null, CheckSession: true);

        for (var tries = 0; ; tries++)
        {
            try
            {
                Assert.Equal(SessionVerdict.Ok, (await app.Sessions.VerifyAsync(token, TestContext.Current.CancellationToken)).Verdict);
                break;
            }
            catch (GridException outage) when (outage.Reason == GridFailure.Unavailable && tries < 600)
            {
                // Not connected yet, on a busy machine.
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }

        Assert.Equal(SessionVerdict.TryRefresh, (await app.Sessions.VerifyAsync(token with { AccessToken = "none" }, TestContext.Current.CancellationToken)).Verdict);
        verified.RecordObservableInstruments();
        held.RecordObservableInstruments();
        age.RecordObservableInstruments();
        remembered.RecordObservableInstruments();

        var counts = Last(verified);
        Assert.Equal((1, 1), (counts[("service", "ok")], counts[("service", "try_refresh")]));
        Assert.All(counts.Keys, key => Assert.Equal("service", key.Door));
        Assert.Single(held.GetMeasurementSnapshot());
        Assert.InRange(age.GetMeasurementSnapshot().Single().Value, 0, 60);
        Assert.Equal(1, remembered.LastMeasurement!.Value);
    }

    private MetricCollector<T> Collect<T>(string instrument)
        where T : struct
    {
        var collector = new MetricCollector<T>(core.Services.GetRequiredService<IMeterFactory>(), GridMetrics.MeterName, instrument);
        _collectors.Add(collector);
        return collector;
    }

    private IReadOnlyList<CollectedMeasurement<T>> Read<T>(string gauge)
        where T : struct
    {
        var collector = Collect<T>(gauge);
        collector.RecordObservableInstruments();
        return collector.GetMeasurementSnapshot();
    }

    // Over the life of the silo, which tests share.
    private long Total(string counter, params (string Name, string Value)[] tags)
    {
        using var collector = new MetricCollector<long>(core.Services.GetRequiredService<IMeterFactory>(), GridMetrics.MeterName, counter);
        collector.RecordObservableInstruments();
        return Sum(collector, tags);
    }

    private static IEnumerable<CollectedMeasurement<T>> Of<T>(MetricCollector<T> collector, params (string Name, string Value)[] tags)
        where T : struct => collector.GetMeasurementSnapshot().Where(measured => tags.All(tag => measured.Tags.GetValueOrDefault(tag.Name) is string value && value == tag.Value));

    private static long Sum(MetricCollector<long> collector, params (string Name, string Value)[] tags) => Of(collector, tags).Sum(measured => measured.Value);

    private static Dictionary<(string Door, string Verdict), long> Last(MetricCollector<long> verified) => verified.GetMeasurementSnapshot()
        .GroupBy(measured => ($"{measured.Tags["grid.door"]}", $"{measured.Tags["grid.verdict"]}")).ToDictionary(group => group.Key, group => group.Last().Value);
}
