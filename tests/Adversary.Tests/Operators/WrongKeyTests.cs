using System.Net;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Operators;

/// <summary>Starts Grid with another key-encryption key than the one that the database was started with, or changes it.</summary>
public sealed class WrongKeyTests
{
    public static TheoryData<bool> Engines => [false, true];

    [Theory, MemberData(nameof(Engines))]
    public async Task Another_key_is_refused_before_anything_is_joined_and_harms_nobody(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var key = Installation.NewKey();
        var silo = await installation.ServeAsync(key);
        var id = KeyIdIn(silo.Output);
        var session = await silo.Http.CreateAsync("alice");
        if (!postgreSql)
        {
            Assert.Equal(0, await silo.TerminateAsync());
        }

        var (code, output) = await installation.TryServeAsync(Installation.NewKey());

        Assert.Equal(2, code);
        Assert.StartsWith("grid: The key-encryption key from Grid:Keys:EncryptionKey", output.Trim().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Contains($"id {id})", output, StringComparison.Ordinal);
        Assert.Contains("grid keys rotate-encryption-key", output, StringComparison.Ordinal);
        Assert.DoesNotContain("listens on", output, StringComparison.Ordinal);
        silo = postgreSql ? silo : await installation.ServeAsync(key);
        Assert.Equal("OK", await silo.Http.VerifyAsync(session.Access));
        await silo.Http.CreateAsync("bob");
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_database_from_before_there_was_a_record_is_recognised_by_its_keys(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var key = Installation.NewKey();
        var silo = await installation.ServeAsync(key);
        await silo.Http.CreateAsync("alice");
        await silo.TerminateAsync();
        await installation.ExecuteAsync("DELETE FROM grid_installation");

        var (code, output) = await installation.TryServeAsync(Installation.NewKey());
        Assert.Equal(2, code);
        Assert.Contains("is not the one that this database was started with", output, StringComparison.Ordinal);

        var again = await installation.ServeAsync(key);
        await again.Http.CreateAsync("bob");
        await again.TerminateAsync();
        Assert.Equal(2, (await installation.TryServeAsync(Installation.NewKey())).Code);
    }

    [Fact]
    public async Task Of_three_first_starts_at_once_with_different_keys_one_wins_and_the_others_are_refused()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        await installation.RunAsync(["migrate"], Installation.NewKey());
        string[] keys = [Installation.NewKey(), Installation.NewKey(), Installation.NewKey()];
        var starts = keys.Select(async key =>
        {
            try
            {
                return (await installation.ServeAsync(key)).Http;
            }
            catch (InvalidOperationException refusal) when (refusal.Message.Contains("is not the one that this database was started with", StringComparison.Ordinal))
            {
                return null;
            }
        });

        var serving = (await Task.WhenAll(starts)).OfType<HttpClient>();

        await Assert.Single(serving).CreateAsync("alice");
    }

    [Fact]
    public async Task An_embedded_file_that_was_only_migrated_still_gets_its_key()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        Assert.Equal(0, (await GridProcess.RunAsync(installation.Folder, ["migrate"])).Code);

        using var silo = await GridProcess.ServeAsync(installation.Folder);
        await silo.Http.CreateAsync("alice");
        await silo.TerminateAsync();
        File.Delete(Path.Combine(installation.Folder, "data", "grid.db.key"));

        var (code, output) = await GridProcess.RunAsync(installation.Folder, ["serve", "--Grid:Core:Port=0", "--Grid:Front:Port=0"]);
        Assert.Equal(2, code);
        Assert.Contains("is gone, but the database next to it was encrypted with it", output, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task The_key_is_changed_by_a_verb_and_every_session_lives_on(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var (former, next) = (Installation.NewKey(), Installation.NewKey());
        var both = ("Grid__Keys__PreviousEncryptionKey", former);
        string[] verb = ["keys", "rotate-encryption-key"];
        var first = await installation.ServeAsync(former);
        var session = await first.Http.CreateAsync("alice");
        if (postgreSql)
        {
            var (refused, why) = await installation.RunAsync(verb, next, both);
            Assert.Equal(2, refused);
            Assert.Contains("would not open what the key", why, StringComparison.Ordinal);
        }

        // One by one: a silo with both beside one with the former only.
        var second = postgreSql ? await installation.ServeAsync(next, both) : null;
        if (second is not null)
        {
            await PutAppAsync(second, "a1");
            Assert.Equal("OK", await first.Http.VerifyAsync((await second.Http.CreateAsync("bob", "/appid-a1")).Access, "/appid-a1"));
        }

        await first.TerminateAsync();
        var (code, output) = await installation.RunAsync(verb, next, both);
        Assert.True(code == 0, output);
        Assert.Contains("keys of ", output, StringComparison.Ordinal);
        Assert.Contains("sealed 0 keys", (await installation.RunAsync(verb, next, both)).Output, StringComparison.Ordinal);

        // With the new key only, beside the one that holds both and has the former boxes in memory.
        var third = await installation.ServeAsync(next);
        Assert.Equal("OK", await third.Http.VerifyAsync(session.Access));
        var (_, refreshed) = await third.Http.CallAsync("/recipe/session/refresh", $$"""{"refreshToken":"{{session.Refresh}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");
        Assert.Equal("OK", $"{refreshed!["status"]}");
        await PutAppAsync(third, "a2");
        var made = await third.Http.CreateAsync("carol", "/appid-a2");
        if (second is not null)
        {
            Assert.Equal("OK", await second.Http.VerifyAsync(made.Access, "/appid-a2"));
            await third.Http.CreateAsync("dora", "/appid-a1");
        }

        Assert.DoesNotContain("cannot be decrypted", third.Output, StringComparison.Ordinal);
        await third.TerminateAsync();
        Assert.Equal(2, (await installation.TryServeAsync(former)).Code);
    }

    private static async Task PutAppAsync(GridProcess silo, string app)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/recipe/multitenancy/app/v2") { Content = new StringContent($$"""{"appId":"{{app}}"}""") };
        request.Headers.TryAddWithoutValidation("cdi-version", "5.6");
        using var answer = await silo.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static string KeyIdIn(string output) => output.Split("EncryptionKey, id ")[1][..16];
}
