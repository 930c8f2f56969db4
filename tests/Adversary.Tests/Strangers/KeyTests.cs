using System.Net;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Strangers;

/// <summary>Somebody without a key tries keys, and names of apps.</summary>
public sealed class KeyTests : IDisposable
{
    private const string Key = "installation-key-0123456789";
    private const string AppKey = "key-of-the-shop-0123456789";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_wrong_key_and_an_app_that_is_none_look_the_same_and_right_keys_are_answered_as_ever()
    {
        using var grid = await StartAsync();

        // Three that want a key, asked in six ways, and two more: the twenty that are answered with 401.
        string[] paths = ["/hello", "/", "/apiversion", "/t1/recipe/session/user?userId=u", "/nothing/here"];
        foreach (var path in paths)
        {
            foreach (var key in new[] { null, "wrong-key-00000000000000000" })
            {
                var unknown = await GetAsync(grid, "/appid-unknown" + path, key);
                var known = await GetAsync(grid, "/appid-shop" + path, key);
                var installations = await GetAsync(grid, path, key);
                Assert.Equal(known, unknown);
                Assert.Equal(known, installations);
                Assert.True(path is "/hello" or "/" ? known.Code == HttpStatusCode.OK : known.Code == HttpStatusCode.Unauthorized, $"{path}: {known}");
            }
        }

        // The key of one app opens no other, and does not tell which exist.
        Assert.Equal(await GetAsync(grid, "/appid-other/apiversion", AppKey), await GetAsync(grid, "/appid-unknown/apiversion", AppKey));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(grid, "/appid-shop/apiversion", AppKey)).Code);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(grid, "/apiversion", Key)).Code);
        var named = await GetAsync(grid, "/appid-unknown/apiversion", Key);
        Assert.Equal(HttpStatusCode.BadRequest, named.Code);
        Assert.Contains("(, unknown, public)", named.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Thousands_of_wrong_keys_and_names_are_braked_logged_in_a_line_and_leave_nothing_behind()
    {
        using var grid = await StartAsync();
        var codes = new int[3_000];
        await Parallel.ForAsync(0, codes.Length, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
            codes[i] = (int)(await GetAsync(grid, $"/appid-name-{i}/apiversion", $"wrong-key-{i:0000000000000000}")).Code);

        // A minute may have ended in between.
        Assert.InRange(codes.Count(code => code == 401), 20, 60);
        Assert.Equal(codes.Length, codes.Count(code => code is 401 or 429));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(grid, "/appid-shop/apiversion", AppKey)).Code);
        var lines = grid.Output.Split('\n').Where(line => line.Contains("Wrong API key", StringComparison.OrdinalIgnoreCase)).ToList();
        Assert.InRange(lines.Count, 1, 6);
        Assert.Contains("127.0.0.1", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-key-0", grid.Output, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Code, string Text)> GetAsync(GridProcess grid, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("api-key", key);
        }

        using var answer = await grid.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<GridProcess> StartAsync()
    {
        var grid = await GridProcess.ServeAsync(_folder, ("API_KEYS", Key));
        foreach (var (app, key) in new[] { ("shop", AppKey), ("other", "key-of-the-other-0123456789") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/recipe/multitenancy/app/v2")
            {
                Content = new StringContent($$$"""{"appId":"{{{app}}}","coreConfig":{"api_keys":"{{{key}}}"}}""", System.Text.Encoding.UTF8, "application/json"),
                Headers = { { "api-key", Key } },
            };
            using var made = await grid.Http.SendAsync(request);
            made.EnsureSuccessStatusCode();
        }

        return grid;
    }
}
