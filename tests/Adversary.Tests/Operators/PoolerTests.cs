using System.Net;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Operators;

/// <summary>Puts a PgBouncer in transaction mode before the database of a cluster.</summary>
public sealed class PoolerTests
{
    [Fact]
    public async Task Two_silos_behind_a_pooler_create_refresh_and_revoke_and_start_again()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        using var bouncer = await PgBouncer.TryStartAsync(installation.Database!, serverConnections: 10);
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        (string, string)[] pooled = [("Grid__Store__ConnectionString", bouncer!.Through(installation.Database!)), ("Grid__Cluster__Id", "grid")];
        var key = Installation.NewKey();
        for (var start = 0; start < 2; start++)
        {
            var silos = await Task.WhenAll(installation.ServeAsync(key, pooled), installation.ServeAsync(key, pooled));
            Assert.All(silos, silo => Assert.Contains("through a connection pooler", silo.Output, StringComparison.Ordinal));

            await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
            {
                for (var i = 0; i < 12; i++)
                {
                    await LiveAndEndAsync(silos[(worker + i) % 2].Http, silos[(worker + i + 1) % 2].Http, $"user-{start}-{worker}-{i}");
                }
            }));

            Assert.All(await Task.WhenAll(silos.Select(silo => silo.Http.GetAsync("/health/ready"))), ready => Assert.Equal(HttpStatusCode.OK, ready.StatusCode));
            await Task.WhenAll(silos.Select(silo => silo.TerminateAsync()));
        }
    }

    [Fact]
    public async Task Four_migrations_at_once_through_a_pooler_all_end_well()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        using var bouncer = await PgBouncer.TryStartAsync(installation.Database!, serverConnections: 3);
        Assert.SkipWhen(bouncer is null, PgBouncer.Missing);
        var (name, database) = ("Grid__Store__ConnectionString", bouncer!.Through(installation.Database!));
        var key = Installation.NewKey();

        var ends = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => installation.RunAsync(["migrate"], key, (name, database))));

        Assert.All(ends, end => Assert.True(end.Code == 0, end.Output));
    }

    private static async Task LiveAndEndAsync(HttpClient here, HttpClient there, string user)
    {
        var session = await here.CreateAsync(user);
        Assert.Equal("OK", await there.VerifyAsync(session.Access));
        var (code, refreshed) = await there.CallAsync(
            "/recipe/session/refresh", $$"""{"refreshToken":"{{session.Refresh}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");
        Assert.True(code == HttpStatusCode.OK && $"{refreshed!["status"]}" == "OK", $"refresh answered {code}: {refreshed}");
        var (removed, answer) = await here.CallAsync("/recipe/session/remove", $$"""{"userId":"{{user}}"}""");
        Assert.True(removed == HttpStatusCode.OK, $"removal answered {removed}: {answer}");
        Assert.Equal("UNAUTHORISED", await there.VerifyAsync(session.Access));
    }
}
