using Grid.Client.Live;
using Microsoft.Extensions.Hosting;

namespace Grid.GrainClient.Sessions;

/// <summary>The holder over Orleans, apart from one over HTTP that the same program may have.</summary>
internal sealed class GrainHolder(ServiceHolder live) : IHostedService, IAsyncDisposable, IDisposable
{
    public ServiceHolder Live => live;

    public Task StartAsync(CancellationToken cancellationToken) => live.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => live.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => live.DisposeAsync();

    public void Dispose() => live.Dispose();
}
