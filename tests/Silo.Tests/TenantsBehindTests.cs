using Grid.Abstractions.Apps;
using Grid.Hosting.Importing;
using Grid.WebFront.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Silo.Tests;

/// <summary>Tenants of a user's sessions in the original's database, some of which no request has named in Grid yet.</summary>
public sealed class TenantsBehindTests
{
    private static readonly AppKey App = new("", AppKey.PublicId);

    [Theory]
    [InlineData(true, new[] { "public", "t1", "t2" })]
    [InlineData(false, new[] { "public", "t1" })]
    public async Task A_users_sessions_come_with_the_tenants_that_the_core_behind_has(bool isBefore, string[] expected)
    {
        var behind = new Behind();
        var services = new ServiceCollection().AddSingleton<IAppDirectory>(new Directory());
        if (isBefore)
        {
            services.AddSingleton<ITenantsBehind>(behind);
        }

        await using var provider = services.BuildServiceProvider();
        var known = await ReadThroughHosting.TenantsAsync(provider, App, new HashSet<string> { "public", "t1", "t2", "nowhere" });

        Assert.Equal(expected, known.Order());
        Assert.Equal(isBefore ? ["nowhere", "t2"] : [], behind.Asked.Order());
        Assert.Empty(await ReadThroughHosting.TenantsAsync(provider, new AppKey("", "unknown"), new HashSet<string> { "public" }));
    }

    private sealed class Behind : ITenantsBehind
    {
        public List<string> Asked { get; } = [];

        public Task<bool> TakeOverAsync(TenantKey tenant)
        {
            Asked.Add(tenant.TenantId);
            return Task.FromResult(tenant.TenantId == "t2");
        }
    }

    private sealed class Directory : IAppDirectory
    {
        public ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken) => new(app == App
            ? new AppSnapshot { App = app, Settings = new SessionSettings(), ApiKeyHashes = [], TenantIds = ["public", "t1"] }
            : null);

        public ValueTask<AddressedApp> FindAsync(string host, string appId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
