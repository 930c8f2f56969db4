using System.Text.RegularExpressions;

namespace Grid.Silo.Tests;

/// <summary>Operators look log lines up by their number.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void Every_number_of_a_log_line_has_one_meaning_and_is_in_the_documents_table()
    {
        List<(int Id, string Place)> used = [.. Sources().SelectMany(file =>
            Written().Matches(File.ReadAllText(file)).Select(match => (int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), Path.GetFileName(file))))];
        var table = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "operations.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Listed().Matches(line.Split('|')[1]).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)))
            .ToList();

        Assert.True(used.Count > 60, "The pattern no longer finds the log lines.");
        Assert.All(used.GroupBy(line => line.Id), id => Assert.True(id.Count() == 1, $"{id.Key} is used by {string.Join(" and by ", id.Select(line => line.Place))}"));
        Assert.All(used, line => Assert.True(table.Contains(line.Id), $"{line.Id} ({line.Place}) is missing from the table of log lines in docs/operations.md"));
        Assert.All(table, id => Assert.True(used.Any(line => line.Id == id), $"docs/operations.md lists {id}, which no code logs"));
        Assert.Equal(table.Count, table.Distinct().Count());
    }

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    [GeneratedRegex(@"LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d{4})")]
    private static partial Regex Written();

    [GeneratedRegex(@"`(\d{4})`")]
    private static partial Regex Listed();
}
