using System.Diagnostics;

namespace Grid.GrainClient.Tests;

/// <summary>The sample, in a process of its own, started as its README says.</summary>
public sealed class WorkerSampleTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task The_worker_shows_and_ends_the_sessions_of_a_user()
    {
        var repository = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(repository.FullName, "Grid.sln")))
        {
            repository = repository.Parent!;
        }

        const string printed = "dotnet run --project samples/worker -- --user alice --end true";
        Assert.Contains($"\n{printed}\n", await File.ReadAllTextAsync(Path.Combine(repository.FullName, "samples", "worker", "README.md")), StringComparison.Ordinal);
        var handles = new[] { await CreateAsync(), await CreateAsync() };

        // It was built before the tests ran.
        var arguments = printed.Replace("alice", _user, StringComparison.Ordinal).Replace("-- ", "-c Release --no-build -- ", StringComparison.Ordinal).Split(' ')[1..];
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = repository.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["Grid__Gateways__0"] = core.Gateway;
        using var worker = Process.Start(start)!;
        var errors = worker.StandardError.ReadToEndAsync();
        try
        {
            var output = await worker.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(3));
            await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));

            Assert.True(worker.ExitCode == 0, output + await errors);
            Assert.Contains($"{_user} has 2 sessions\n", output, StringComparison.Ordinal);
            Assert.All(handles, handle => Assert.Contains($"  {handle}, since ", output, StringComparison.Ordinal));
            Assert.Contains($"2 sessions of {_user} have ended; ", output, StringComparison.Ordinal);
        }
        finally
        {
            worker.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public async Task The_worker_watches_a_user()
    {
        var folder = Path.GetDirectoryName(typeof(WorkerSampleTests).Assembly.Location)!;
        var program = Path.GetFullPath(Path.Combine(folder, "../../../../../samples/worker/bin/Release/net10.0/Grid.Samples.Worker.dll"));
        var start = new ProcessStartInfo("dotnet", [program, "--user", _user, "--watch", "true"]) { RedirectStandardOutput = true };
        start.Environment["Grid__Gateways__0"] = core.Gateway;
        using var worker = Process.Start(start)!;
        try
        {
            await ReadToAsync(worker, $"{_user} has 0 sessions");
            var handle = await CreateAsync();
            await ReadToAsync(worker, $" Created {handle}");
            await core.PostAsync("/session/revoke", new { userId = _user });
            await ReadToAsync(worker, $" Ended {handle} Requested");
        }
        finally
        {
            worker.Kill();
        }
    }

    private static async Task ReadToAsync(Process worker, string wanted)
    {
        while (await worker.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(3)) is { } line)
        {
            if (line.EndsWith(wanted, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"The worker ended before it told '{wanted}'.");
    }

    private async Task<string> CreateAsync() => (await core.CreateSessionAsync(userId: _user))["session"]!["handle"]!.GetValue<string>();
}
