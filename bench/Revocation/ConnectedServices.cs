using Grid.Bench.Http.Scenarios;
using Grid.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Grid.Bench.Revocation;

/// <summary>Many .NET services in this process, each with the client package's holder and a connection of its own.</summary>
internal sealed class ConnectedServices : IAsyncDisposable
{
    private readonly List<ServiceProvider> _services = [];

    public static async Task<ConnectedServices> StartAsync(IReadOnlyList<Uri> doors, int count, string accessToken)
    {
        var all = new ConnectedServices();
        for (var i = 0; i < count; i++)
        {
            var door = doors[i % doors.Count];
            var service = new ServiceCollection().AddLogging()
                .AddGridClient(client => (client.ConnectionUri, client.ApiKey) = (door, CoreRequests.ApiKey)).BuildServiceProvider();
            all._services.Add(service);
            foreach (var hosted in service.GetServices<IHostedService>())
            {
                await hosted.StartAsync(CancellationToken.None);
            }

            // The first token that it checks makes a service a holder.
            await service.GetRequiredService<IGridSessions>().VerifyAsync(new TokenToCheck { AccessToken = accessToken }, CancellationToken.None);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services)
        {
            foreach (var hosted in service.GetServices<IHostedService>())
            {
                await hosted.StopAsync(CancellationToken.None);
            }

            await service.DisposeAsync();
        }
    }
}
