using System.Diagnostics;
using System.Text.RegularExpressions;
using Grid.Abstractions.Settings;
using Grid.TestKit;

namespace Grid.Silo.Tests;

/// <summary>Runs the shell commands that README.md prints, as they are printed.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-readme-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_first_commands_create_check_and_revoke_a_session()
    {
        using var grid = await GridProcess.ServeAsync(_folder);
        var script = Commands().Single(block => block.Contains("/recipe/session/verify", StringComparison.Ordinal));
        Assert.Contains("core=http://127.0.0.1:3567\n", script, StringComparison.Ordinal);

        var (code, output) = await BashAsync(script.Replace("http://127.0.0.1:3567", grid.Http.BaseAddress!.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal));

        Assert.True(code == 0, output);
        Assert.Matches("""(?s)^Hello.*"status":"OK".*"session".*"sessionHandlesRevoked":\[".*"status":"UNAUTHORISED""", output);
    }

    [Fact]
    public async Task The_commands_for_PostgreSQL_start_a_silo_over_it()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var database = new Npgsql.NpgsqlConnectionStringBuilder(await server!.CreateDatabaseAsync());
        var script = Commands().Single(block => block.Contains("POSTGRESQL_CONNECTION_URI", StringComparison.Ordinal));
        const string printed = "postgresql://grid:secret@db:5432/grid";
        Assert.Contains(printed, script, StringComparison.Ordinal);

        // In place of the repository's ./run, which builds first: what it executes in the end, on free ports, until it is ready.
        var run = Path.Combine(_folder, "run");
        await File.WriteAllTextAsync(run, $"""
            #!/usr/bin/env bash
            dotnet '{Path.Combine(AppContext.BaseDirectory, "Grid.Silo.dll")}' serve --Grid:Core:Port=0 --Grid:Front:Port=0 --Grid:Shutdown:Drain=00:00:00 "$@" > log 2>&1 &
            for i in $(seq 600); do grep -q 'Ready\.' log && break; kill -0 $! || break; sleep 0.1; done
            kill $!; wait $!; cat log
            """);
        File.SetUnixFileMode(run, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var (_, output) = await BashAsync(script.Replace(
            printed, $"postgresql://{database.Username}@{database.Host}:{database.Port}/{database.Database}", StringComparison.Ordinal));

        Assert.Contains("Store: PostgreSQL", output, StringComparison.Ordinal);
        Assert.Contains("Ready.", output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "grid.key")));
    }

    [Fact]
    public void Scripts_and_options_that_the_README_names_exist()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        Assert.All(Scripts().Matches(text).Select(match => match.Groups[1].Value).Distinct(), script => Assert.True(File.Exists(Path.Combine(Repository.Root, script)), script));
        Assert.Contains("--fast", File.ReadAllText(Path.Combine(Repository.Root, "test")), StringComparison.Ordinal);
        var known = SettingTable.All.Select(row => row.Key).ToList();
        Assert.All(Options().Matches(text).Select(match => match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)), key => Assert.Contains(key, known));
    }

    private static IEnumerable<string> Commands() => Blocks().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(match => match.Groups[1].Value);

    private async Task<(int Code, string Output)> BashAsync(string script)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-e", "-c", script]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = bash.StandardError.ReadToEndAsync();
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return (bash.ExitCode, output + await errors);
    }

    [GeneratedRegex("(?s)```bash\n(.*?)```")]
    private static partial Regex Blocks();

    [GeneratedRegex(@"(?<![\w/.])\./(\w+)")]
    private static partial Regex Scripts();

    [GeneratedRegex(@"(?:--|\b)(Grid(?::\w+){2}|Grid__\w+?__\w+)(?==)")]
    private static partial Regex Options();
}
