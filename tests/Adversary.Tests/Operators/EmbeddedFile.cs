using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Operators;

/// <summary>A folder with an embedded file, the process over it, and what an operator does to the file with other programs.</summary>
internal sealed class EmbeddedFile : IDisposable
{
    private readonly List<GridProcess> _silos = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("grid-file-").FullName;

    public string Path => System.IO.Path.Combine(Folder, "data", "grid.db");

    public async Task<GridProcess> ServeAsync(params string[] prefix)
    {
        var silo = await GridProcess.ServeAsync(Folder, prefix, []);
        _silos.Add(silo);
        return silo;
    }

    public Task<(int Code, string Output)> RunAsync(params string[] verb) => GridProcess.RunAsync(Folder, verb);

    /// <summary>Runs another program beside it; never opens the file in this process.</summary>
    public static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>Which of the database's files the process has POSIX locks on, as the kernel lists them.</summary>
    public string[] Locked(GridProcess silo)
    {
        var owner = silo.Id.ToString(CultureInfo.InvariantCulture);
        var inodes = File.ReadLines("/proc/locks").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(lockLine => lockLine.Contains("POSIX") && lockLine.Contains(owner))
            .Select(lockLine => lockLine.Single(word => word.Count(c => c == ':') == 2).Split(':')[2]).ToHashSet();
        return [.. new[] { "", "-shm" }.Where(file => inodes.Contains(Run("stat", "-c", "%i", Path + file).Output.Trim()))];
    }

    public static async Task<(HttpStatusCode Code, string Body)> ReadyAsync(GridProcess silo)
    {
        using var answer = await silo.Http.GetAsync("/health/ready");
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Asks until it is so; a bound for hangs only.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var patience = Stopwatch.StartNew(); !await condition(); await Task.Delay(100))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromMinutes(3), "still not so after three minutes");
        }
    }

    public void Dispose()
    {
        _silos.ForEach(silo => silo.Dispose());
        Directory.Delete(Folder, recursive: true);
    }
}

internal static class SessionCalls
{
    /// <summary>The status word of a refresh.</summary>
    public static async Task<string> RefreshAsync(this HttpClient http, string refreshToken)
    {
        var (code, body) = await http.CallAsync("/recipe/session/refresh", $$"""{"refreshToken":"{{refreshToken}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");
        return code == HttpStatusCode.OK ? $"{body!["status"]}" : $"{(int)code}";
    }

    /// <summary>The status code of a revocation of a user.</summary>
    public static async Task<HttpStatusCode> RevokeUserAsync(this HttpClient http, string user) =>
        (await http.CallAsync("/recipe/session/remove", new JsonObject { ["userId"] = user }.ToJsonString())).Code;

    /// <summary>The status code of a create.</summary>
    public static async Task<HttpStatusCode> TryCreateAsync(this HttpClient http, string user, int payload = 0) => (await http.CallAsync(
        "/recipe/session",
        $$"""{"userId":"{{user}}","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{"x":"{{new string('x', payload)}}"},"useDynamicSigningKey":true}""")).Code;
}
