using System.Diagnostics;
using System.Text.RegularExpressions;
using Grid.Client;

namespace Grid.GrainClient.Tests;

/// <summary>Silos and PostgreSQL as processes of their own.</summary>
public sealed partial class ClusterTests
{
    // For hangs only.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [GeneratedRegex("```sql\n(CREATE ROLE.*?)```", RegexOptions.Singleline)]
    private static partial Regex Role { get; }

    [Fact]
    public async Task A_service_with_the_role_of_the_documents_does_everything_that_a_back_end_does()
    {
        await using var cluster = await Cluster.NewAsync();
        await cluster.ServeOpenAsync();
        var silo = cluster.Silos[0];
        var closed = await cluster.ServeAsync(0);
        await cluster.MakeReaderAsync(Role.Match(await File.ReadAllTextAsync(Document("grain-client.md"), Stop)).Groups[1].Value);
        await using var worker = await Worker.StartAsync(grid => (grid.ConnectionString, grid.ApiKey) = (cluster.ReaderConnection, Cluster.ApiKey));
        var sessions = worker.Sessions;

        var made = await sessions.CreateAsync(new SessionDraft { UserId = "u", PayloadJson = """{"a":1}""" }, Stop);
        var verified = await sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop);
        var refreshed = await sessions.RefreshAsync(new TokenToRefresh(made.Tokens.Refresh.Text, false, null, true), Stop);
        var regenerated = await sessions.RegenerateAsync(refreshed.Tokens!.Access.Text, """{"a":2}""", Stop);
        var updated = await sessions.UpdateDataAsync(made.Handle, """{"b":1}""", Stop) && await sessions.UpdatePayloadAsync(made.Handle, """{"a":3}""", Stop);
        var found = await sessions.FindAsync(made.Handle, Stop);
        var keys = await sessions.ReadKeysAsync(Stop);
        var listed = await sessions.ListAsync("u", null, Stop);
        var other = await sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        var one = await sessions.RevokeUserAsync("u", null, other.Handle, Stop);
        var all = await sessions.RevokeUserAsync("u", null, null, Stop);

        Assert.Equal((SessionVerdict.Ok, SessionVerdict.Ok, true), (verified.Verdict, refreshed.Verdict, updated));
        Assert.Equal(("""{"a":2}""", """{"a":3}""", """{"b":1}"""), (regenerated!.PayloadJson, found!.PayloadJson, found.DataJson));
        Assert.Contains("\"keys\"", System.Text.Encoding.UTF8.GetString(keys.Json.Span), StringComparison.Ordinal);
        Assert.Equal([made.Handle], listed);
        Assert.Equal([made.Handle], one.Handles);
        Assert.Equal([other.Handle], all.Handles);

        // Both silos, also the one whose gateway is closed, and this service itself, which has checked a token, have confirmed.
        Assert.Equal((3, 3), (one.Receipt.Confirmed, all.Receipt.Confirmed));
        Assert.DoesNotContain(Cluster.ApiKey, silo.Output + closed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_gateway_is_open_or_the_cluster_is_another_calls_end_in_a_clear_failure()
    {
        await using var cluster = await Cluster.NewAsync();
        await cluster.ServeAsync(0);
        await cluster.MakeReaderAsync(Role.Match(await File.ReadAllTextAsync(Document("grain-client.md"), Stop)).Groups[1].Value);
        await using var outside = await Worker.StartAsync(grid => (grid.ConnectionString, grid.ApiKey) = (cluster.ReaderConnection, Cluster.ApiKey));
        await using var elsewhere = await Worker.StartAsync(grid => grid.Gateways.Add($"127.0.0.1:{Cluster.FreePort()}"));

        foreach (var worker in (Worker[])[outside, elsewhere])
        {
            var failure = await Assert.ThrowsAsync<GridException>(() => worker.Sessions.ListAsync("u", null, Stop));
            Assert.Equal((GridFailure.Unavailable, "There is no connection to Grid's silos."), (failure.Reason, failure.Message));
            var waited = Stopwatch.StartNew();
            while (worker.Log.Count(4201) == 0 && waited.Elapsed < Patience)
            {
                // The first attempt may take longer than a call waits.
                await Task.Delay(100, Stop);
            }

            Assert.Equal(1, worker.Log.Count(4201));
        }

        // It is heard of when one opens.
        await cluster.ServeOpenAsync();
        await EventuallyAsync(outside);
        await using var other = await Worker.StartAsync(grid => (grid.ConnectionString, grid.ApiKey, grid.ClusterId) = (cluster.ReaderConnection, Cluster.ApiKey, "another"));
        Assert.Equal(GridFailure.Unavailable, (await Assert.ThrowsAsync<GridException>(() => other.Sessions.ListAsync("u", null, Stop))).Reason);
    }

    [Fact]
    public async Task Calls_go_on_over_the_silos_that_are_left_and_over_those_that_come_when_all_were_replaced()
    {
        await using var cluster = await Cluster.NewAsync();
        await cluster.ServeOpenAsync();
        await cluster.MakeReaderAsync(Role.Match(await File.ReadAllTextAsync(Document("grain-client.md"), Stop)).Groups[1].Value);
        var gateway = await cluster.ServeOpenAsync();
        await using var worker = await Worker.StartAsync(grid =>
            (grid.ConnectionString, grid.ApiKey, grid.Timeout) = (cluster.ReaderConnection, Cluster.ApiKey, TimeSpan.FromSeconds(20)));
        await EventuallyAsync(worker);
        using var over = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 4).Select(_ => CallAsync(worker.Sessions, over.Token)).ToArray();
        var kept = await RepeatAsync(() => worker.Sessions.CreateAsync(new SessionDraft { UserId = "kept" }, Stop));

        // Whichever of them it is connected to is among the first two, and both of those end.
        await cluster.Silos[0].KillAsync();
        await EventuallyAsync(worker);
        await cluster.ServeOpenAsync();
        await cluster.Silos[1].KillAsync();
        await EventuallyAsync(worker);
        Assert.NotNull(await FindAsync(worker, kept.Handle));

        // All of them at once; the next cluster has other ports and generations, and one of the former ports.
        await cluster.Silos[2].KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);
        await cluster.ServeAsync(gateway);
        await EventuallyAsync(worker);
        Assert.NotNull(await FindAsync(worker, kept.Handle));
        await over.CancelAsync();
        var attempts = 0;
        var revoked = await RepeatAsync(() =>
        {
            attempts++;
            return worker.Sessions.RevokeAsync(kept.Handle, Stop);
        });

        // One whose outcome was unknown may have done it.
        Assert.True(revoked.Handles is [var only] ? only == kept.Handle : attempts > 1);
        Assert.Null(await FindAsync(worker, kept.Handle));
        Assert.All(await Task.WhenAll(calls), failures => Assert.All(failures, failure => Assert.Equal(GridFailure.Unavailable, failure.Reason)));
    }

    [Fact]
    public async Task A_revocation_that_waits_says_so_and_one_whose_silo_dies_meanwhile_ends_soon_and_can_be_repeated()
    {
        await using var cluster = await Cluster.NewAsync();
        var gateway = await cluster.ServeOpenAsync(("Grid__Revocation__Lease", "1m"));
        var entry = cluster.Silos[0];
        var silent = await cluster.ServeAsync(0, ("Grid__Revocation__Lease", "1m"));
        await using var worker = await Worker.StartAsync(grid =>
        {
            grid.Gateways.Add($"127.0.0.1:{gateway}");
            (grid.ApiKey, grid.RevocationTimeout) = (Cluster.ApiKey, TimeSpan.FromSeconds(3));
        });
        await using var patient = await Worker.StartAsync(grid =>
        {
            grid.Gateways.Add($"127.0.0.1:{gateway}");
            grid.ApiKey = Cluster.ApiKey;
        });
        var made = await patient.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        silent.Signal("STOP");

        // On a busy machine a sign of life may come too late once; the lease leaves time for another try.
        GridFailure said;
        var tries = 0;
        do
        {
            said = (await Assert.ThrowsAsync<GridException>(() => worker.Sessions.RevokeAsync(made.Handle, Stop))).Reason;
        }
        while (said == GridFailure.Unavailable && ++tries < 3);

        Assert.Equal(GridFailure.StillWaiting, said);
        var waiting = patient.Sessions.RevokeAsync(made.Handle, Stop);
        await Task.Delay(TimeSpan.FromSeconds(2), Stop);
        Assert.False(waiting.IsCompleted);
        var dying = Stopwatch.StartNew();
        await entry.KillAsync();

        Assert.Equal(GridFailure.Unavailable, (await Assert.ThrowsAsync<GridException>(() => waiting)).Reason);
        Assert.True(dying.Elapsed < TimeSpan.FromSeconds(60), $"It took {dying.Elapsed}.");
        await silent.KillAsync();
        await cluster.ServeAsync(gateway);
        await EventuallyAsync(patient);
        await RepeatAsync(() => patient.Sessions.RevokeAsync(made.Handle, Stop));
        Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(patient, made)).Verdict);
    }

    [Fact]
    public async Task A_service_that_checks_tokens_over_Orleans_accepts_none_after_its_revocation_was_acknowledged_whatever_dies_and_signs_nobody_out()
    {
        await using var cluster = await Cluster.NewAsync();
        await cluster.ServeOpenAsync();
        await cluster.MakeReaderAsync(Role.Match(await File.ReadAllTextAsync(Document("grain-client.md"), Stop)).Groups[1].Value);
        await cluster.ServeOpenAsync();
        await using var service = await Worker.StartAsync(grid => (grid.ConnectionString, grid.ApiKey) = (cluster.ReaderConnection, Cluster.ApiKey));
        await using var office = await Worker.StartAsync(grid => (grid.ConnectionString, grid.ApiKey) = (cluster.ReaderConnection, Cluster.ApiKey));
        await EventuallyAsync(service);
        await EventuallyAsync(office);
        var kept = await office.Sessions.CreateAsync(new SessionDraft { UserId = "kept" }, Stop);
        Assert.Equal(SessionVerdict.Ok, (await CheckAsync(service, kept)).Verdict);
        using var over = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            // Nobody is signed out by an outage.
            while (!over.IsCancellationRequested)
            {
                try
                {
                    Assert.Equal(SessionVerdict.Ok, (await service.Sessions.VerifyAsync(new TokenToCheck(kept.Tokens.Access.Text, false, null, true), Stop)).Verdict);
                }
                catch (GridException outage)
                {
                    Assert.Equal(GridFailure.Unavailable, outage.Reason);
                }

                await Task.Delay(20, Stop);
            }
        });

        foreach (var round in Enumerable.Range(0, 6))
        {
            if (round is 2 or 4)
            {
                // Once it is the silo that the service is connected to.
                await cluster.Silos[(round / 2) - 1].KillAsync();
                await cluster.ServeOpenAsync();
            }

            var made = await RepeatAsync(() => office.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop));
            Assert.Equal(SessionVerdict.Ok, (await CheckAsync(service, made)).Verdict);
            await RepeatAsync(() => office.Sessions.RevokeAsync(made.Handle, Stop));

            try
            {
                Assert.Equal(SessionVerdict.Unauthorised, (await service.Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop)).Verdict);
            }
            catch (GridException outage)
            {
                Assert.Equal(GridFailure.Unavailable, outage.Reason);
            }
        }

        await over.CancelAsync();
        await watching;
        Assert.True(service.Log.Count(4100) >= 2, "It never connected to another silo.");
    }

    private static Task<TokenCheck> CheckAsync(Worker worker, CreatedSession session) =>
        RepeatAsync(async () => await worker.Sessions.VerifyAsync(new TokenToCheck(session.Tokens.Access.Text, false, null, true), Stop));

    private static async Task<T> RepeatAsync<T>(Func<Task<T>> call)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (GridException failure) when (failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting && waited.Elapsed < Patience)
            {
                await Task.Delay(200, Stop);
            }
        }
    }

    /// <summary>Creates and checks until it is over.</summary>
    /// <returns>What went wrong.</returns>
    private static async Task<List<GridException>> CallAsync(IGridSessions sessions, CancellationToken over)
    {
        List<GridException> failures = [];
        while (!over.IsCancellationRequested)
        {
            try
            {
                var made = await sessions.CreateAsync(new SessionDraft { UserId = "busy" }, Stop);
                if ((await sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop)).Verdict != SessionVerdict.Ok)
                {
                    throw new InvalidOperationException("A living session was refused.");
                }
            }
            catch (GridException failure)
            {
                failures.Add(failure);
                await Task.Delay(100, Stop);
            }
        }

        return failures;
    }

    private static async Task EventuallyAsync(Worker worker)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await worker.Sessions.CreateAsync(new SessionDraft { UserId = "probe" }, Stop);
                return;
            }
            catch (GridException failure) when (failure.Reason == GridFailure.Unavailable && waited.Elapsed < Patience)
            {
                await Task.Delay(200, Stop);
            }
        }
    }

    private static async Task<SessionInformation?> FindAsync(Worker worker, string handle)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await worker.Sessions.FindAsync(handle, Stop);
            }
            catch (GridException failure) when (failure.Reason == GridFailure.Unavailable && waited.Elapsed < Patience)
            {
                await Task.Delay(200, Stop);
            }
        }
    }

    private static string Document(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
        {
            folder = folder.Parent!;
        }

        return Path.Combine(folder.FullName, "docs", name);
    }
}
