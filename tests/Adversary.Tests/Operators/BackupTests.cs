using System.Net;

namespace Grid.Adversary.Tests.Operators;

/// <summary>Other programs open the embedded file while Grid runs: backups, a look inside, copies, Grid's own verbs.</summary>
public sealed class BackupTests
{
    public static TheoryData<string> Visits =>
    [
        "sqlite3 .backup", "sqlite3 select", "sqlite3 vacuum into", "sqlite3 checkpoint", "cat", "cp", "grid migrate", "grid migrate --dry-run", "grid migrate --script",
        "grid config show", "grid keys rotate-encryption-key", "grid cluster rename --to other", "grid restore-fence", "a second grid",
    ];

    [Theory, MemberData(nameof(Visits))]
    public async Task Whoever_opens_the_file_of_a_first_start_nothing_acknowledged_is_lost_and_nothing_revoked_returns(string visit)
    {
        using var file = new EmbeddedFile();
        var silo = await file.ServeAsync();
        Assert.Equal(["", "-shm"], file.Locked(silo));
        var alice = await silo.Http.CreateAsync("alice");
        var bob = await silo.Http.CreateAsync("bob");

        await VisitAsync(file, visit);
        Assert.Equal(["", "-shm"], file.Locked(silo));
        Assert.Equal(HttpStatusCode.OK, await silo.Http.RevokeUserAsync("alice"));
        var carol = await silo.Http.CreateAsync("carol");
        await VisitAsync(file, visit);
        var dave = await silo.Http.CreateAsync("dave");
        Assert.Equal("OK", await silo.Http.RefreshAsync(bob.Refresh));
        Assert.Equal(["", "-shm"], file.Locked(silo));
        await silo.KillAsync();

        var next = await file.ServeAsync();
        Assert.NotEqual("OK", await next.Http.VerifyAsync(alice.Access));
        Assert.Equal("UNAUTHORISED", await next.Http.RefreshAsync(alice.Refresh));
        foreach (var lives in new[] { bob, carol, dave })
        {
            Assert.Equal("OK", await next.Http.VerifyAsync(lives.Access));
        }

        Assert.Equal("OK", await next.Http.RefreshAsync(carol.Refresh));
        Assert.Equal(["", "-shm"], file.Locked(next));
    }

    [Fact]
    public async Task A_backup_beside_a_running_process_starts_with_every_session_of_its_moment()
    {
        using var file = new EmbeddedFile();
        using var restored = new EmbeddedFile();
        var silo = await file.ServeAsync();
        var alice = await silo.Http.CreateAsync("alice");
        Directory.CreateDirectory(Path.GetDirectoryName(restored.Path)!);
        Assert.Equal((0, ""), EmbeddedFile.Run("sqlite3", file.Path, $".backup {restored.Path}"));
        Assert.Equal((0, ""), EmbeddedFile.Run("cp", file.Path + ".key", restored.Path + ".key"));
        await silo.KillAsync();

        var next = await restored.ServeAsync();
        Assert.Equal("OK", await next.Http.VerifyAsync(alice.Access));
    }

    [Fact]
    public async Task Verbs_make_and_change_nothing_where_there_is_no_store_yet()
    {
        using var file = new EmbeddedFile();
        foreach (var verb in new[] { "migrate --dry-run", "migrate --script", "config show" })
        {
            Assert.Equal(0, (await file.RunAsync(verb.Split(' '))).Code);
        }

        Assert.Empty(Directory.GetFileSystemEntries(file.Folder));
    }

    [Fact]
    public async Task Journal_mode_and_migrations_are_not_changed_under_a_running_process()
    {
        using var file = new EmbeddedFile();
        var silo = await file.ServeAsync();
        Assert.Contains("locked", EmbeddedFile.Run("sqlite3", file.Path, "PRAGMA journal_mode=DELETE").Output, StringComparison.Ordinal);

        // As a later version of Grid would find it.
        EmbeddedFile.Run("sqlite3", file.Path, "DELETE FROM grid_schema WHERE ScriptName = (SELECT max(ScriptName) FROM grid_schema)");
        var (code, output) = await file.RunAsync("migrate");
        Assert.Equal(3, code);
        Assert.Contains("Another process is using", output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await silo.Http.TryCreateAsync("alice"));
    }

    private static async Task VisitAsync(EmbeddedFile file, string visit)
    {
        var copy = Path.Combine(file.Folder, Path.GetRandomFileName());
        var (code, output) = visit switch
        {
            "sqlite3 .backup" => EmbeddedFile.Run("sqlite3", file.Path, $".backup {copy}"),
            "sqlite3 select" => EmbeddedFile.Run("sqlite3", file.Path, "SELECT count(*) FROM grid_session"),
            "sqlite3 vacuum into" => EmbeddedFile.Run("sqlite3", file.Path, $"VACUUM INTO '{copy}'"),
            "sqlite3 checkpoint" => EmbeddedFile.Run("sqlite3", file.Path, "PRAGMA wal_checkpoint(TRUNCATE)"),
            "cat" => EmbeddedFile.Run("sh", "-c", $"cat {file.Path} {file.Path}-wal {file.Path}-shm >/dev/null"),
            "cp" => EmbeddedFile.Run("cp", file.Path, file.Path + "-wal", file.Path + "-shm", Directory.CreateDirectory(copy).FullName),
            "a second grid" => await file.RunAsync("serve", "--Grid:Core:Port=0", "--Grid:Front:Port=0"),
            _ => await file.RunAsync(visit.Split(' ')[1..]),
        };
        Assert.True(code == (visit is "a second grid" or "grid keys rotate-encryption-key" or "grid cluster rename --to other" or "grid restore-fence" ? 3 : 0), output);
    }
}
