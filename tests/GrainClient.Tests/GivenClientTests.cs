using System.Net;
using Grid.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Grid.GrainClient.Tests;

/// <summary>Over an Orleans client that the application has already.</summary>
public sealed class GivenClientTests(CoreHost core) : GridSessionsConformance(core)
{
    private IHost? _application;

    public override async ValueTask InitializeAsync()
    {
        _application = await StartAsync(Core);
        Sessions = _application.Services.GetRequiredService<IGridSessions>();
    }

    public override async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.StopAsync();
            _application.Dispose();
        }
    }

    /// <summary>An application with an Orleans client of its own making.</summary>
    internal static async Task<IHost> StartAsync(CoreHost core, Action<GridGrainOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(core.Clock);
        builder.UseOrleansClient(client => client
            .UseStaticClustering(IPEndPoint.Parse(core.Gateway))
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("grid", "grid"))
            .UseGrid(configure ?? (_ => { })));
        var application = builder.Build();
        await application.StartAsync();
        return application;
    }
}
