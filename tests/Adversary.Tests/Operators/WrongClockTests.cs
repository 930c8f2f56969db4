using System.Net;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Operators;

/// <summary>Lets a machine's clock go wrong: nobody is signed out by it, and nothing is deleted by it.</summary>
public sealed class WrongClockTests
{
    private static readonly string[] Libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"];

    [Fact]
    public async Task A_silo_two_hours_ahead_of_its_peers_answers_503_and_signs_nobody_out()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        var key = Installation.NewKey();
        var good = await installation.ServeAsync(key);
        var session = await good.Http.CreateAsync("alice");
        var bad = await installation.ServeAsync(key, Ahead("+2h"));

        using var ready = await bad.Http.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("503", await bad.Http.VerifyAsync(session.Access));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await RefreshAsync(bad, session.Refresh)).Code);
        using var front = await bad.FrontHttp().PostAsync("/auth/session/refresh", null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, front.StatusCode);
        Assert.True(front.Headers.RetryAfter is not null);
        Assert.False(front.Headers.Contains("Set-Cookie"));
        Assert.Contains("ahead of PostgreSQL's", bad.Output, StringComparison.Ordinal);

        // Some of these sessions' grains live on the silo with the wrong clock: they may be away, they are not over.
        for (var i = 0; i < 20; i++)
        {
            var (code, body) = await good.Http.CallAsync(
                "/recipe/session", $$"""{"userId":"u{{i}}","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""");
            Assert.True(code is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{code} {body}");
            if (code == HttpStatusCode.OK)
            {
                var (refreshed, said) = await RefreshAsync(good, $"{body!["refreshToken"]!["token"]}");
                Assert.True(refreshed == HttpStatusCode.ServiceUnavailable || $"{said!["status"]}" == "OK", $"{refreshed} {said}");
            }
        }

        await bad.TerminateAsync();
        Assert.Equal("OK", await good.Http.VerifyAsync(session.Access));
    }

    [Fact]
    public async Task A_clock_two_hundred_days_ahead_deletes_no_session_of_an_embedded_file()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        var key = Installation.NewKey();
        var first = await installation.ServeAsync(key);
        var session = await first.Http.CreateAsync("alice");
        await first.TerminateAsync();

        var ahead = await installation.ServeAsync(key, [.. Ahead("+200d"), ("Grid__Purge__Period", "00:01:00")]);
        Assert.Contains("Expired rows stay for", ahead.Output, StringComparison.Ordinal);
        await UntilAsync(() => ahead.Output.Contains("Purge skipped", StringComparison.Ordinal), TimeSpan.FromMinutes(3), () => ahead.Output);
        await ahead.TerminateAsync();

        var after = await installation.ServeAsync(key);
        Assert.Equal("OK", await after.Http.VerifyAsync(session.Access));
        var (_, refreshed) = await RefreshAsync(after, session.Refresh);
        Assert.Equal("OK", $"{refreshed!["status"]}");
    }

    [Fact]
    public async Task A_clock_behind_an_embedded_files_newest_time_is_said_and_can_be_accepted()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        var key = Installation.NewKey();
        var first = await installation.ServeAsync(key);
        var session = await first.Http.CreateAsync("alice");
        await first.TerminateAsync();

        var behind = await installation.ServeAsync(key, Ahead("-1h"));
        using var ready = await behind.Http.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("503", await behind.Http.VerifyAsync(session.Access));
        Assert.Contains("behind the newest time in the file", behind.Output, StringComparison.Ordinal);
        await behind.TerminateAsync();

        var (code, output) = await installation.RunAsync(["clock", "accept"], key, Ahead("-1h"));
        Assert.True(code == 0, output);
        var accepted = await installation.ServeAsync(key, Ahead("-1h"));
        Assert.Equal("OK", await accepted.Http.VerifyAsync(session.Access));
    }

    [Fact]
    public async Task A_clock_that_is_set_while_Grid_runs_is_noticed_and_recovers()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        var offset = Path.Combine(installation.Folder, "offset");
        await File.WriteAllTextAsync(offset, "+0s");
        var silo = await installation.ServeAsync(Installation.NewKey(), [.. Ahead(null), ("FAKETIME_TIMESTAMP_FILE", offset), ("FAKETIME_CACHE_DURATION", "1")]);
        var session = await silo.Http.CreateAsync("alice");

        await File.WriteAllTextAsync(offset, "+40d");
        await UntilAsync(() => silo.Output.Contains("ahead of PostgreSQL's", StringComparison.Ordinal), TimeSpan.FromMinutes(1), () => silo.Output);
        Assert.Equal("503", await silo.Http.VerifyAsync(session.Access));

        await File.WriteAllTextAsync(offset, "+0s");
        await UntilAsync(() => silo.Output.Contains("This machine's clock agrees with the store", StringComparison.Ordinal), TimeSpan.FromMinutes(1), () => silo.Output);

        // The holder renews after a jump, too, before it vouches for anybody.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        string verdict;
        while ((verdict = await silo.Http.VerifyAsync(session.Access)) == "503" && !patience.IsCancellationRequested)
        {
            await Task.Delay(100);
        }

        Assert.Equal("OK", verdict);
    }

    private static async Task UntilAsync(Func<bool> holds, TimeSpan patience, Func<string> otherwise)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!holds())
        {
            Assert.False(timeout.IsCancellationRequested, otherwise());
            await Task.Delay(100);
        }
    }

    private static Task<(HttpStatusCode Code, System.Text.Json.Nodes.JsonNode? Body)> RefreshAsync(GridProcess silo, string token) => silo.Http.CallAsync(
        "/recipe/session/refresh", $$"""{"refreshToken":"{{token}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");

    /// <summary>Settings of the library that shows a process another time.</summary>
    private static (string, string)[] Ahead(string? offset)
    {
        var library = Libraries.SelectMany(machine => new[] { $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1", $"/usr/lib/{machine}/faketime/libfaketime.so.1" })
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(library is null, "no faketime on this machine; ./test installs it where it may");
        (string, string)[] settings = [("LD_PRELOAD", library!), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_FORCE_MONOTONIC_FIX", "0")];
        return offset is null ? settings : [.. settings, ("FAKETIME", offset)];
    }
}
