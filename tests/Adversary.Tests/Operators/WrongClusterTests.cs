namespace Grid.Adversary.Tests.Operators;

/// <summary>Points a silo of another cluster at the database of this one.</summary>
public sealed class WrongClusterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_cluster_id_is_refused_until_the_cluster_is_renamed(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var key = Installation.NewKey();
        var other = ("Grid__Cluster__Id", "blue");
        var silo = await installation.ServeAsync(key);
        var session = await silo.Http.CreateAsync("alice");
        if (postgreSql)
        {
            var (early, why) = await installation.RunAsync(["cluster", "rename", "--to", "blue"], key);
            Assert.Equal(2, early);
            Assert.Contains("Stop every silo first", why, StringComparison.Ordinal);
        }

        var revoked = await silo.Http.CallAsync("/session/revoke", $$"""{"sessionHandles":["{{(await silo.Http.CreateAsync("bob")).Handle}}"]}""");
        Assert.Equal(0, (int)revoked.Body!["holders"]!["waitedOut"]!);
        await silo.TerminateAsync();

        var (code, output) = await installation.TryServeAsync(key, other);
        Assert.Equal(2, code);
        Assert.Contains("grid: The database belongs to the cluster 'grid', but Grid:Cluster:Id is 'blue'", output, StringComparison.Ordinal);

        var (renamed, said) = await installation.RunAsync(["cluster", "rename", "--to", "blue"], key);
        Assert.True(renamed == 0, said);
        Assert.Equal(2, (await installation.TryServeAsync(key)).Code);
        var blue = await installation.ServeAsync(key, other);
        Assert.Equal("OK", await blue.Http.VerifyAsync(session.Access));
    }
}
