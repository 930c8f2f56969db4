using System.Text.RegularExpressions;

namespace Grid.Packages.Tests;

/// <summary>What <c>docs/dotnet.md</c> prints.</summary>
internal static partial class Document
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Workplace.Repository, "docs", "dotnet.md"));

    /// <summary>The only block of commands with these words in it.</summary>
    public static string Commands(string words) => Blocks("bash").Single(block => block.Contains(words, StringComparison.Ordinal));

    /// <summary>The only program, or part of one, with these words in it.</summary>
    public static string Program(string words) => Blocks("csharp").Single(block => block.Contains(words, StringComparison.Ordinal));

    /// <summary>The first program with all that is printed by task put where the text says: before its last line, types behind it.</summary>
    public static string WholeProgram()
    {
        var parts = Blocks("csharp").Where(block => !block.Contains(".Run(", StringComparison.Ordinal) && !block.Contains("builder.Build()", StringComparison.Ordinal) && !block.Contains("WebApplicationFactory", StringComparison.Ordinal)).Select(Split).ToList();
        var program = Program("// where browsers find this program").Replace("app.Run(", $"{string.Concat(parts.Select(part => part.Statements))}app.Run(", StringComparison.Ordinal);
        var usings = Usings().Matches(Text).Select(match => match.Groups[1].Value).Distinct();
        return $"{string.Join('\n', usings)}\n{program}\n{string.Concat(parts.Select(part => part.Types))}";
    }

    private static IEnumerable<string> Blocks(string language) =>
        Fences().Matches(Text).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value);

    private static (string Statements, string Types) Split(string block)
    {
        var types = Types().Match(block);
        return types.Success ? (block[..types.Index], block[types.Index..]) : (block, "");
    }

    [GeneratedRegex("(?s)```(\\w+)\n(.*?)```")]
    private static partial Regex Fences();

    [GeneratedRegex("(?m)^(internal|public) ")]
    private static partial Regex Types();

    // In the text, beside a block.
    [GeneratedRegex("`(using [.\\w]+;)`")]
    private static partial Regex Usings();
}
