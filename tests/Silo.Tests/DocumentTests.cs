using System.Text.RegularExpressions;

namespace Grid.Silo.Tests;

/// <summary>What the documents point at is there.</summary>
public sealed partial class DocumentTests
{
    internal static readonly string Root = Repository.Root;

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

    [Fact]
    public void Every_decision_says_whether_it_still_holds()
    {
        Assert.All(Directory.EnumerateFiles(Path.Combine(Root, "docs", "decisions"), "*.md"), decision =>
            Assert.Contains(File.ReadLines(decision).Take(4), line => line.StartsWith("Status: ", StringComparison.Ordinal)));
    }

    /// <summary>A reader has this repository and nothing else.</summary>
    [Fact]
    public void Nothing_refers_to_a_file_outside_the_repository()
    {
        string[] kinds = [".cs", ".md", ".mjs", ".js", ".sql", ".yaml", ".yml", ".conf", ".jsx", ".html", ".csproj", ".props"];
        var files = new[] { "src", "tests", "docs", "deploy", "bench", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Where(file => kinds.Contains(Path.GetExtension(file)) && !Generated().IsMatch(file) && Path.GetFileName(file) != "DocumentTests.cs")
            .ToList();

        Assert.True(files.Count > 300);
        Assert.Empty(files.SelectMany(file => File.ReadLines(file).Select((line, i) => (Where: $"{Path.GetRelativePath(Root, file)}:{i + 1}", Line: line)))
            .Where(at => Outside().IsMatch(at.Line) || HasBareSection(at.Line))
            .Select(at => $"{at.Where}: {at.Line.Trim()}"));
    }

    // A section sign belongs to the document that is named before it on the same line.
    private static bool HasBareSection(string line)
    {
        var sign = line.IndexOf('§', StringComparison.Ordinal);
        return sign >= 0 && !Named().IsMatch(line[..sign]);
    }

    [GeneratedRegex("[\\\\/](bin|obj|node_modules|dist)[\\\\/]")]
    private static partial Regex Generated();

    [GeneratedRegex(@"\bcore-rules\b|\breliability\.md|\bstyle\.md|\bdesign\.md|\bhouse\.md|\.\./shared|(core|front)-api\.openapi")]
    private static partial Regex Outside();

    [GeneratedRegex(@"RFC ?\d+|Standard|Discovery|Fetch|docs/\S+\.md|\w\.md")]
    private static partial Regex Named();

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
