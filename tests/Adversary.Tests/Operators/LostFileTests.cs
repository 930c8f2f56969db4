using System.Net;

namespace Grid.Adversary.Tests.Operators;

/// <summary>The embedded file is removed, replaced or overwritten while Grid runs; somebody holds its lock; the disk is full.</summary>
public sealed class LostFileTests
{
    [Theory]
    [InlineData("rm {0}-wal {0}-shm")]
    [InlineData("rm {0}")]
    [InlineData("mv {0}.backup {0}")]
    [InlineData("cp {0}.backup {0}")]
    [InlineData("rm {0}-wal && touch {0}-wal")]
    public async Task Nothing_is_acknowledged_that_is_lost_readiness_says_why_and_nobody_is_signed_out(string clumsy)
    {
        using var file = new EmbeddedFile();
        var silo = await file.ServeAsync();
        var alice = await silo.Http.CreateAsync("alice");
        Assert.Equal((0, ""), EmbeddedFile.Run("sqlite3", file.Path, $".backup {file.Path}.backup"));
        var bob = await silo.Http.CreateAsync("bob");
        Assert.Equal(HttpStatusCode.OK, (await EmbeddedFile.ReadyAsync(silo)).Code);

        Assert.Equal((0, ""), EmbeddedFile.Run("sh", "-c", clumsy.Replace("{0}", file.Path, StringComparison.Ordinal)));

        await EmbeddedFile.UntilAsync(async () => (await EmbeddedFile.ReadyAsync(silo)).Code == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await silo.Http.TryCreateAsync("carol"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await silo.Http.RevokeUserAsync("alice"));
        Assert.Equal("503", await silo.Http.RefreshAsync(alice.Refresh));
        Assert.Equal("503", await silo.Http.RefreshAsync(bob.Refresh));
        Assert.Equal(1, silo.Output.Split("[2603]").Length - 1);
        await silo.TerminateAsync();
    }

    [Fact]
    public async Task A_file_that_was_removed_is_put_back_from_what_was_saved_with_all_that_was_acknowledged()
    {
        using var file = new EmbeddedFile();
        var silo = await file.ServeAsync();
        var alice = await silo.Http.CreateAsync("alice");
        var bob = await silo.Http.CreateAsync("bob");
        Assert.Equal(HttpStatusCode.OK, await silo.Http.RevokeUserAsync("bob"));
        File.Delete(file.Path);

        await EmbeddedFile.UntilAsync(() => Task.FromResult(silo.Output.Contains("[2604]", StringComparison.Ordinal)));
        await silo.KillAsync();
        var saved = Directory.GetFiles(Path.GetDirectoryName(file.Path)!, "*.saved-*").Single(name => !name.Contains(".part", StringComparison.Ordinal));
        File.Move(saved, file.Path);
        File.Delete(file.Path + "-wal");
        File.Delete(file.Path + "-shm");

        var next = await file.ServeAsync();
        Assert.Equal("OK", await next.Http.VerifyAsync(alice.Access));
        Assert.Equal("UNAUTHORISED", await next.Http.RefreshAsync(bob.Refresh));
    }

    [Fact]
    public async Task A_transaction_that_another_program_leaves_open_is_answered_503_at_once_and_passes()
    {
        using var file = new EmbeddedFile();
        var silo = await file.ServeAsync();
        using var holding = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("sqlite3", [file.Path]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await holding.StandardInput.WriteLineAsync("BEGIN IMMEDIATE;\n.print held");
        await holding.StandardInput.FlushAsync();
        await holding.StandardOutput.ReadLineAsync();

        // Less than the 10 s after which callers have given up.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await silo.Http.TryCreateAsync("alice").WaitAsync(TimeSpan.FromSeconds(9)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await silo.Http.RevokeUserAsync("alice").WaitAsync(TimeSpan.FromSeconds(9)));
        var (code, _) = await EmbeddedFile.ReadyAsync(silo);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);

        holding.StandardInput.Close();
        await holding.WaitForExitAsync();
        await EmbeddedFile.UntilAsync(async () => await silo.Http.TryCreateAsync("alice") == HttpStatusCode.OK);
        await EmbeddedFile.UntilAsync(async () => (await EmbeddedFile.ReadyAsync(silo)).Code == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_full_disk_turns_readiness_red_and_green_again_when_there_is_room()
    {
        Assert.SkipUnless(Environment.UserName == "root", "mounts a small disk in a namespace of its own");
        using var file = new EmbeddedFile();
        var folder = Path.GetDirectoryName(file.Path)!;
        Directory.CreateDirectory(folder);
        var silo = await file.ServeAsync("unshare", "-m", "sh", "-c", $"mount -t tmpfs -o size=8m none {folder} && exec \"$@\"", "sh");
        var alice = await silo.Http.CreateAsync("alice");
        var filler = $"/proc/{silo.Id}/root{folder}/filler";
        EmbeddedFile.Run("sh", "-c", $"cat /dev/zero > {filler}");

        await EmbeddedFile.UntilAsync(async () => await silo.Http.TryCreateAsync("bob", payload: 100_000) == HttpStatusCode.ServiceUnavailable);
        await EmbeddedFile.UntilAsync(async () => (await EmbeddedFile.ReadyAsync(silo)).Code == HttpStatusCode.ServiceUnavailable);
        Assert.Contains("make room", silo.Output, StringComparison.Ordinal);

        EmbeddedFile.Run("rm", filler);
        await EmbeddedFile.UntilAsync(async () => (await EmbeddedFile.ReadyAsync(silo)).Code == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, await silo.Http.TryCreateAsync("carol"));
        Assert.Equal("OK", await silo.Http.VerifyAsync(alice.Access));
        Assert.Equal("OK", await silo.Http.RefreshAsync(alice.Refresh));
    }
}
