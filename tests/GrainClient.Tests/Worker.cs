using Grid.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.GrainClient.Tests;

/// <summary>A program with <c>AddGridGrainClient()</c>.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private readonly IHost _host;

    private Worker(IHost host, CapturedLog log) => (_host, Log) = (host, log);

    public CapturedLog Log { get; }

    public IGridSessions Sessions => _host.Services.GetRequiredService<IGridSessions>();

    public static async Task<Worker> StartAsync(Action<GridGrainClientOptions> configure, Action<IServiceCollection>? services = null, params string[] secrets)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var log = new CapturedLog();
        log.Guard(secrets);
        builder.Logging.AddProvider(log);
        services?.Invoke(builder.Services);
        builder.AddGridGrainClient(configure);
        var host = builder.Build();
        await host.StartAsync();
        return new Worker(host, log);
    }

    /// <summary>One of a shared silo's clients.</summary>
    public static Task<Worker> StartAsync(CoreHost core, string app = "public", string? key = null, params string[] secrets) => StartAsync(
        grid =>
        {
            grid.Gateways.Add(core.Gateway);
            (grid.App, grid.ApiKey) = (app, key);
        },
        services => services.AddSingleton<TimeProvider>(core.Clock),
        secrets);

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
