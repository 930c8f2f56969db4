using Grid.Abstractions.Apps;
using Grid.WebFront.Upstream;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>What the core behind Grid had before, and no request can name to Grid: domains, and apps with API keys of their own.</summary>
public sealed class SurveyTests
{
    private const string List = "/recipe/multitenancy/connectionuridomain/list";
    private const string OwnKey = "the-key-of-the-app-itself-1";

    [Fact]
    public async Task Domains_and_apps_with_keys_of_their_own_are_taken_over_as_soon_as_the_core_behind_lists_them()
    {
        await using var behind = new StandInCore();
        await behind.StartAsync();
        behind.Answers[List] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        var asked = 0;
        behind.Answers["/recipe/multitenancy/tenant"] = context => context.Request.Host.Host == "shop.example" && Interlocked.Increment(ref asked) == 1
            ? StandInCore.WriteAsync(context, "Internal Error", 500)
            : StandInCore.WriteAsync(context, context.Request.Host.Host == "shop.example"
            ? """{"status":"OK","tenantId":"public","coreConfig":{"access_token_validity":60}}"""
            : context.Request.Path.Value!.StartsWith("/appid-keyed/", StringComparison.Ordinal) ? $$$"""{"status":"OK","tenantId":"public","coreConfig":{"api_keys":"{{{OwnKey}}}"}}"""
            : context.Request.Path.Value!.StartsWith("/appid-late/", StringComparison.Ordinal) ? $$$"""{"status":"OK","tenantId":"public","coreConfig":{"api_keys":"{{{OwnKey}}}2"}}"""
            : """{"status":"TENANT_NOT_FOUND_ERROR"}""");
        Assert.True(ApiKeys.TryParse(UpstreamHost.Key, out var keys, out _));
        await using var core = new CoreHost
        {
            Defaults = new AppDefaults { ApiKeyHashes = keys },
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = behind.Url.ToString(),
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:Timeout"] = "3m",
                ["Grid:Upstream:ConnectTimeout"] = "1m",
            },
        };
        await core.InitializeAsync();

        // Nobody is kept waiting by a core that does not say what it has.
        await UntilAsync(TimeSpan.Zero, async () => await BeginAsync("", UpstreamHost.Key) is { Status: 200 });
        Assert.Equal(401, (await BeginAsync("/appid-keyed", OwnKey)).Status);

        behind.Answers[List] = context => StandInCore.WriteAsync(context, ListOf("keyed", OwnKey));
        await UntilAsync(UpstreamSurvey.PauseAfterFailure, async () => await BeginAsync("/appid-keyed", OwnKey) is { Status: 200 });
        Assert.Equal(401, (await BeginAsync("/appid-keyed", UpstreamHost.Key)).Status);
        Assert.Equal(401, (await BeginAsync("/appid-keyed", OwnKey + "x")).Status);
        Assert.DoesNotContain(behind.Requests, seen => seen.Target.Contains("appid-plain", StringComparison.Ordinal));

        // That core failed when it was first asked for the domain; nobody has to come with a strange key for it to be asked again.
        CoreAnswer session = null!;
        await UntilAsync(UpstreamSurvey.AgainAfter, async () =>
        {
            session = await BeginAsync("", UpstreamHost.Key, ("Host", "Shop.Example:3567"));
            return session.Word == "OK" && Validity(session) <= 60_000;
        });

        // Those before it began where names that nobody knows lead.
        var handle = session.Json["session"]!["handle"]!.GetValue<string>();
        Assert.DoesNotContain(handle, Handles(await core.SendAsync("GET", "/recipe/session/user?userId=u-shop", null, null, ("api-key", UpstreamHost.Key))));
        Assert.Contains(handle, Handles(await core.SendAsync("GET", "/recipe/session/user?userId=u-shop", null, null, ("api-key", UpstreamHost.Key), ("Host", "shop.example"))));

        // Made behind only now: nothing is asked for a name with a key that nobody knows, but the list is read again.
        behind.Answers[List] = context => StandInCore.WriteAsync(context, ListOf("late", OwnKey + "2"));
        await UntilAsync(UpstreamSurvey.AgainAfter, async () => await BeginAsync("/appid-late", OwnKey + "2") is { Status: 200 });

        Task<CoreAnswer> BeginAsync(string app, string key, params (string, string)[] headers) => core.SendAsync(
            "POST", $"{app}/recipe/session", new { userId = headers.Length > 0 ? "u-shop" : "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }, null, [("api-key", key), .. headers]);

        async Task UntilAsync(TimeSpan step, Func<Task<bool>> holds)
        {
            for (var tries = 0; !await holds(); tries++)
            {
                Assert.True(tries < 1200, string.Join('\n', core.Log.Lines.Select(line => $"{line.Id} {line.Text}").TakeLast(20)));
                await Task.Delay(50, TestContext.Current.CancellationToken);
                core.Clock.Skip(step);
            }
        }
    }

    private static string ListOf(string appId, string key) => $$$"""
        {"status":"OK","connectionUriDomains":[
          {"connectionUriDomain":"","apps":[
            {"appId":"public","tenants":[{"tenantId":"public","coreConfig":{}}]},
            {"appId":"plain","tenants":[{"tenantId":"public","coreConfig":{}},{"tenantId":"t1","coreConfig":{"api_keys":"{{{key}}}"}}]},
            {"appId":"{{{appId}}}","tenants":[{"tenantId":"public","coreConfig":{"api_keys":"{{{key}}}"}}]}]},
          {"connectionUriDomain":"SHOP.example:3567","apps":[{"appId":"public","tenants":[{"tenantId":"public","coreConfig":{}}]}]},
          {"connectionUriDomain":"no domain","apps":7}, 7]}
        """;

    private static long Validity(CoreAnswer session) => session.Json["accessToken"]!["expiry"]!.GetValue<long>() - session.Json["accessToken"]!["createdTime"]!.GetValue<long>();

    private static IEnumerable<string> Handles(CoreAnswer answer) => answer.Json["sessionHandles"]!.AsArray().Select(handle => handle!.GetValue<string>());
}
