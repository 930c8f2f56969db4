using System.Globalization;
using System.Text.RegularExpressions;

namespace Grid.Silo.Tests.Telemetry;

/// <summary>One line of a metrics page.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A metrics page, read by the text format's grammar: a line that is none of it is a failure.</summary>
internal sealed partial class ExportedMetrics
{
    private ExportedMetrics(IReadOnlyDictionary<string, string> types, IReadOnlyList<Sample> samples) => (Types, Samples) = (types, samples);

    /// <summary>Each family's type.</summary>
    public IReadOnlyDictionary<string, string> Types { get; }

    public IReadOnlyList<Sample> Samples { get; }

    public IEnumerable<string> Names => Samples.Select(sample => sample.Name).Distinct();

    /// <summary>Every label that some sample of that name has.</summary>
    public IReadOnlySet<string> LabelsOf(string name) => Samples.Where(sample => sample.Name == name).SelectMany(sample => sample.Labels.Keys).ToHashSet();

    public double Sum(string name, params (string Label, string Value)[] labels) => Samples
        .Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Label) == label.Value)).Sum(sample => sample.Value);

    public static ExportedMetrics Parse(string page)
    {
        Dictionary<string, string> types = [];
        List<Sample> samples = [];
        foreach (var line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                Assert.Equal(4, words.Length);
                Assert.Contains(words[3], (string[])["counter", "gauge", "histogram", "unknown", "info"]);
                Assert.True(types.TryAdd(words[2], words[3]), $"{words[2]} has two types.");
            }
            else if (!line.StartsWith('#'))
            {
                var match = Line().Match(line);
                Assert.True(match.Success, $"Not a line of the format: {line}");
                var labels = Label().Matches(match.Groups["labels"].Value).ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value);
                samples.Add(new Sample(match.Groups["name"].Value, labels, double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture)));
            }
        }

        Assert.All(samples, sample => Assert.Contains(types.Keys, family => sample.Name == family || sample.Name.StartsWith(family + "_", StringComparison.Ordinal)));
        return new ExportedMetrics(types, samples);
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*)\})? (?<value>[-+0-9.eE]+|[+-]?Inf|NaN)( [0-9]+(\.[0-9]+)?)?$""")]
    private static partial Regex Line();

    [GeneratedRegex("""(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>([^"\\]|\\.)*)",?""")]
    private static partial Regex Label();
}
