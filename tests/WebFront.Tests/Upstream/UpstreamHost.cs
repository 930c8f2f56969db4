using Grid.Abstractions.Apps;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A Grid in front of a stand-in, with an API key of its own.</summary>
[CollectionDefinition(nameof(UpstreamHost))]
public sealed class UpstreamHost : IAsyncLifetime, ICollectionFixture<UpstreamHost>
{
    public const string Key = "the-key-that-clients-show-to-grid";

    internal StandInCore Behind { get; } = new();

    internal CoreHost Core { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await Behind.StartAsync();
        Assert.True(ApiKeys.TryParse(Key, out var keys, out _));
        Core = new CoreHost
        {
            Defaults = new AppDefaults { ApiKeyHashes = keys },
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = new Uri(Behind.Url, "/behind").ToString(),
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:Timeout"] = "3m",
                ["Grid:Upstream:ConnectTimeout"] = "1m",
            },
        };
        await Core.InitializeAsync();
        Core.Http.DefaultRequestHeaders.Add("api-key", Key);
    }

    public async ValueTask DisposeAsync()
    {
        await Core.DisposeAsync();
        await Behind.DisposeAsync();
    }
}
