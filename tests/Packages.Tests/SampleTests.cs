using System.Text.RegularExpressions;

namespace Grid.Packages.Tests;

/// <summary>Samples that need no browser: started by the line that their README prints, used as it says.</summary>
public sealed partial class SampleTests(Workplace work)
{
    [Fact]
    public async Task Embedded_keeps_and_ends_sessions_in_its_own_process()
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", "embedded", "README.md"))).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal("dotnet run --project samples/embedded\n", commands[0]);

        // It was built before the tests ran.
        var folder = Directory.CreateDirectory(Path.Combine(work.Folder, "sample")).FullName;
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", "embedded"), "-c", "Release", "--no-build"], folder, core: null);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);

        var output = await work.ShellAsync(
            commands[1].Replace("http://localhost:3001", sample.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal).Replace("curl ", "curl -sS -w ' %{http_code}\\n' ", StringComparison.Ordinal),
            folder);

        Assert.Matches("^ 200\n 200\nalice 200\n2 sessions have ended\n 200\n[^\n]* 401\n$", output);
    }

    [GeneratedRegex("(?s)```bash\n(.*?)```")]
    private static partial Regex Blocks();
}
