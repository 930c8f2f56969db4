using System.Globalization;
using Grid.TestKit.History;

namespace Grid.Faults.Tests;

/// <summary>One drill of a campaign (<c>bench/drills</c>), which says in its environment what to break and where to write what came of it.</summary>
public sealed class CampaignTests(ITestOutputHelper output)
{
    private const int FailedAtMost = 1;
    private const int OutOf = 1000;
    private const int Window = 10;

    [Fact(Explicit = true)]
    public async Task A_drill_of_a_campaign_holds()
    {
        var drill = Drill.Named(Variable("GRID_DRILL_KIND"));
        var seed = int.Parse(Variable("GRID_DRILL_SEED"), CultureInfo.InvariantCulture);
        var length = TimeSpan.FromSeconds(double.Parse(Variable("GRID_DRILL_SECONDS"), CultureInfo.InvariantCulture));
        DrillRun? run = null;
        var result = "held";
        try
        {
            run = await drill.RunAsync(output.WriteLine, seed, length, TestContext.Current.CancellationToken);
            var (failed, of) = WorstWindow(run);
            foreach (var request in run.Load.AtDoors.Where(request => drill.IsOrderly && request.Failure is not null))
            {
                output.WriteLine($"{request.At}: {request.Failure}");
            }

            if (run.Violations.Count > 0)
            {
                result = "**violated**: " + string.Join("; ", run.Violations.GroupBy(violation => violation.Kind).Select(kind => $"{kind.Key} × {kind.Count()}"));
                Assert.Fail(string.Join('\n', run.Violations));
            }

            result += drill.IsOrderly ? string.Create(CultureInfo.InvariantCulture, $"; worst {Window} s: {failed} of {of} requests failed") : "";
            if (drill.IsOrderly && failed * OutOf > of * FailedAtMost)
            {
                result = result.Replace("held", "**too many failed**", StringComparison.Ordinal);
                Assert.Fail(result);
            }
        }
        catch (Exception failure) when (result == "held")
        {
            result = failure.GetType().Name == "SkipException" ? "left out: " + FirstLine(failure) : "**broke off**: " + FirstLine(failure);
            throw;
        }
        finally
        {
            await File.AppendAllTextAsync(Variable("GRID_DRILL_LINES"), Line(drill, seed, length, run, result) + "\n");
        }
    }

    private static string Line(Drill drill, int seed, TimeSpan length, DrillRun? run, string result)
    {
        var load = run?.Load;
        var times = load?.RevocationTimes.Order().ToList() ?? [];
        var broken = run is null ? 0 : (run.Broken.Over - run.Broken.Begun).TotalSeconds;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {drill.Name} | {seed} | {length.TotalSeconds:F0} | {broken:F0} | {load?.Requests.Answered ?? 0} | {load?.Requests.Unavailable ?? 0} | {load?.History.Made.Count(made => made.Acknowledged is not null) ?? 0} | {load?.History.Refreshes.Count(refresh => refresh.Outcome == RefreshOutcome.Rotated) ?? 0} | {times.Count} | {Percentile(times, 0.5)} | {Percentile(times, 0.99)} | {load?.Receipts.Count(receipt => receipt.WaitedOut > 0) ?? 0} | {run?.Violations.Count.ToString(CultureInfo.InvariantCulture) ?? ""} | {result} |");
    }

    private static string Percentile(List<TimeSpan> sorted, double share) =>
        sorted.Count == 0 ? "" : sorted[(int)Math.Min(sorted.Count - 1, Math.Floor(sorted.Count * share))].TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);

    // The window that begins with each second. One that is cut off at the end holds too little to be a share of.
    private static (int Failed, int Of) WorstWindow(DrillRun run)
    {
        var bySecond = run.Load.AtDoors.Where(request => request.At >= run.Broken.Begun && request.At <= run.Broken.Over).ToLookup(request => (int)request.At.TotalSeconds);
        var begun = (int)run.Broken.Begun.TotalSeconds;
        return Enumerable.Range(begun, Math.Max(1, (int)run.Broken.Over.TotalSeconds - begun - Window))
            .Select(first => Enumerable.Range(first, Window).SelectMany(second => bySecond[second]).ToList())
            .Select(window => (Failed: window.Count(request => request.Failure is not null), Of: window.Count))
            .OrderByDescending(window => (double)window.Failed / Math.Max(1, window.Of)).ThenByDescending(window => window.Of).First();
    }

    private static string FirstLine(Exception failure) => failure.Message.Split('\n')[0].Replace("|", "/", StringComparison.Ordinal);

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set; bench/drills sets it.");
}
