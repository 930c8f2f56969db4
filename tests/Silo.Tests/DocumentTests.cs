using System.Text.RegularExpressions;

namespace Grid.Silo.Tests;

/// <summary>What the documents point at is there.</summary>
public sealed partial class DocumentTests
{
    internal static readonly string Root = FindRoot();

    [Theory]
    [InlineData("docs/threat-model.md")]
    [InlineData("docs/asvs.md")]
    public void Every_test_that_a_document_names_exists(string document)
    {
        var classes = Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);
        var named = TestNames().Matches(File.ReadAllText(Path.Combine(Root, document))).Select(match => (Class: match.Groups[1].Value, Method: match.Groups[2].Value)).ToList();

        Assert.NotEmpty(named);
        Assert.All(named, test => Assert.Contains(classes[test.Class], source => source.Contains($" {(test.Method.Length > 0 ? test.Method : test.Class)}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        foreach (var document in Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Root, "*.md")))
        {
            foreach (var link in Links().Matches(File.ReadAllText(document)).Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)))
            {
                var target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, link));
                Assert.True(Path.Exists(target), $"{Path.GetRelativePath(Root, document)} links to {link}");
            }
        }
    }

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    [InlineData("bench")]
    public void Comments_cite_documents_of_this_repository_by_headings_that_are_there(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)))
        {
            foreach (var line in File.ReadLines(file).Where(line => line.TrimStart().StartsWith("//", StringComparison.Ordinal)))
            {
                var where = $"{Path.GetRelativePath(Root, file)}: {line.Trim()}";
                Assert.False(BareSection().IsMatch(line), where);
                foreach (var document in Documents().Matches(line).Select(match => match.Value))
                {
                    Assert.True(File.Exists(Path.Combine(Root, document)), where);
                    var headings = File.ReadLines(Path.Combine(Root, document))
                        .Where(text => text.StartsWith('#')).Select(text => text.TrimStart('#', ' ')).ToHashSet();
                    var cited = Cited().Matches(line[line.IndexOf(document, StringComparison.Ordinal)..]).Select(match => match.Groups[1].Value);
                    Assert.All(cited, heading => Assert.Contains(heading, headings));
                }
            }
        }
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }

    [GeneratedRegex("`([A-Z][A-Za-z]+Tests)(?:\\.([A-Z]\\w+))?`")]
    private static partial Regex TestNames();

    // A section of nothing that is named before it.
    [GeneratedRegex("(?<!\\b(RFC \\d+|Standard|\\d\\.\\d) )\u00a7")]
    private static partial Regex BareSection();

    [GeneratedRegex("[\\w./-]+\\.md\\b")]
    private static partial Regex Documents();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Cited();

    [GeneratedRegex("\\]\\(([^)#\\s]+)(?:#[^)]*)?\\)")]
    private static partial Regex Links();
}
