using System.Net;
using System.Text;
using Grid.Abstractions.Apps;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Grid.GrainClient.Tests;

/// <summary>A cluster of which one silo only has its gateway open.</summary>
public sealed class ClosedGatewayTests
{
    private const int Apps = 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Through_a_gateway_no_grain_of_a_silo_without_one_can_be_called_either()
    {
        await using var cluster = await Cluster.NewAsync();
        var gateway = Cluster.FreePort();
        await cluster.ServeAsync(gateway);
        var closed = await cluster.ServeAsync(0);

        // Grains live where they were called first, so about half of these on each.
        foreach (var app in Enumerable.Range(0, Apps))
        {
            using var made = new HttpRequestMessage(HttpMethod.Put, "/recipe/multitenancy/app/v2") { Content = new StringContent($$"""{"appId":"app{{app}}"}""", Encoding.UTF8, "application/json") };
            made.Headers.TryAddWithoutValidation("api-key", Cluster.ApiKey);
            using var answer = await closed.Http.SendAsync(made, Stop);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // No key, nothing of Grid's but the interfaces.
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering(new IPEndPoint(IPAddress.Loopback, gateway));
            client.Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = ("grid", "grid"));
        });
        using var stranger = builder.Build();
        await stranger.StartAsync(Stop);
        var grains = stranger.Services.GetRequiredService<IClusterClient>();

        foreach (var app in Enumerable.Range(0, Apps))
        {
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => grains.GetGrain<IAppGrain>($"app{app}").ListTenantsAsync(Stop));
        }

        await stranger.StopAsync(Stop);
    }
}
