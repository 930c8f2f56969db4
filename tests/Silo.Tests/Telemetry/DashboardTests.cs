using System.Text.Json;
using System.Text.RegularExpressions;

namespace Grid.Silo.Tests.Telemetry;

/// <summary>Every panel and every alert asks for what a silo exports: a metric or a label that is misspelt, or was renamed, shows nothing and never alarms.</summary>
[Collection(nameof(MeteredSilo))]
public sealed partial class DashboardTests(MeteredSilo silo)
{
    // What Prometheus adds itself.
    private static readonly string[] OfPrometheus = ["job", "instance", "le"];

    private static readonly string[] Words =
        ["sum", "max", "min", "rate", "increase", "histogram_quantile", "and", "or"];

    public static TheoryData<string> Files => ["grid.json", "alerts.yaml"];

    [Theory, MemberData(nameof(Files))]
    public async Task Each_expression_names_metrics_and_labels_that_a_silo_exports(string file)
    {
        var expressions = await ReadAsync(file);
        Assert.True(expressions.Count >= 16, $"{file} has only {expressions.Count} expressions.");
        var page = await silo.ReadAllAsync();

        Assert.All(expressions, expression => Check(expression, page));
    }

    [Fact]
    public async Task The_alerts_cover_what_an_operator_must_hear_of()
    {
        var expressions = string.Join('\n', await ReadAsync("alerts.yaml"));

        Assert.All(
            (string[])["grid_revocation_lag_seconds_bucket", "grid_lease_age_seconds", "grid_lease_held", "grid_holders_waited_out_total", "error_type!=\"\"", "grid_sessions_reuse_detected_total",
                "grid_health_status", "grid_certificate_remaining_seconds", "grid_requests_refused_total"],
            needed => Assert.Contains(needed, expressions, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_alerts_count_is_exported_before_it_happens_for_the_first_time()
    {
        var counted = (await ReadAsync("alerts.yaml")).SelectMany(expression => IncreaseOf().Matches(expression)).Select(match => match.Groups["name"].Value).ToHashSet();
        var page = ExportedMetrics.Parse(await silo.ScrapeAsync());

        Assert.NotEmpty(counted);
        Assert.All(counted, name => Assert.Contains(name, page.Names));
    }

    [Theory]
    [InlineData("sum(rate(grid_sessions_created[1m]))")]
    [InlineData("grid_lease_held{door=\"core\"}")]
    [InlineData("sum by (grid_dor) (grid_sessions_verified_total)")]
    public async Task A_wrong_name_is_noticed(string expression)
    {
        var page = ExportedMetrics.Parse(await silo.ScrapeAsync());

        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Check(expression, page));
    }

    private static void Check(string expression, ExportedMetrics page)
    {
        HashSet<string> known = [.. OfPrometheus];
        var groupings = By().Matches(expression).Concat(LabelValues().Matches(expression)).SelectMany(by => by.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries)).ToList();
        var rest = LabelValues().Replace(By().Replace(Range().Replace(expression, ""), ""), match => match.Groups["metric"].Value);
        foreach (var (name, matchers) in Selector().Matches(rest).Select(match => (match.Groups["name"].Value, match.Groups["matchers"].Value)).Where(found => !Words.Contains(found.Item1)))
        {
            // "up" is Prometheus' own.
            Assert.True(name == "up" || page.Names.Contains(name), $"No silo exports {name}: {expression}");
            HashSet<string> labels = [.. page.LabelsOf(name), .. OfPrometheus];
            Assert.All(Matcher().Matches(matchers), label => Assert.True(labels.Contains(label.Groups["name"].Value), $"{name} has no label {label.Groups["name"].Value}: {expression}"));
            known.UnionWith(labels);
        }

        Assert.All(groupings, label => Assert.True(known.Contains(label), $"No metric has the label {label}: {expression}"));
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(string file)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "grafana", file), TestContext.Current.CancellationToken);
        if (file.EndsWith(".yaml", StringComparison.Ordinal))
        {
            var alerts = Regex.Count(text, @"^      - alert: \w+$", RegexOptions.Multiline);
            List<string> expressions = [.. Regex.Matches(text, "^        expr: (.+)$", RegexOptions.Multiline).Select(line => line.Groups[1].Value)];
            Assert.Equal(alerts, expressions.Count);
            return expressions;
        }

        using var board = JsonDocument.Parse(text);
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row").ToList();
        Assert.All(panels, panel => Assert.NotEqual(0, panel.GetProperty("targets").GetArrayLength()));
        return
        [
            .. panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!),
            .. board.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray()
                .Select(variable => variable.GetProperty("query")).Where(query => query.ValueKind == JsonValueKind.Object).Select(query => query.GetProperty("query").GetString()!),
        ];
    }

    [GeneratedRegex("""\bby \((?<labels>[^)]*)\)""")]
    private static partial Regex By();

    // Grafana's own, for a list of a label's values.
    [GeneratedRegex("""^label_values\((?<metric>\w+), (?<labels>\w+)\)$""")]
    private static partial Regex LabelValues();

    [GeneratedRegex("""\[[^\]]*\]""")]
    private static partial Regex Range();

    [GeneratedRegex("""(?<name>[a-z_][a-z0-9_]*)(\{(?<matchers>[^}]*)\})?""")]
    private static partial Regex Selector();

    [GeneratedRegex("""(?<name>[a-z_]+)(=~|!~|!=|=)"[^"]*"(,|$)""")]
    private static partial Regex Matcher();

    [GeneratedRegex("""increase\((?<name>[a-z_]+)""")]
    private static partial Regex IncreaseOf();
}
