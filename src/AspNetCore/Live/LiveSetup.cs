using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Live;

/// <summary>Adds the filter to all hubs, and the handler to all circuits of Blazor Server, if the application has any.</summary>
internal sealed class LiveSetup : IConfigureOptions<HubOptions>
{
    public static void Add(IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<HubOptions>, LiveSetup>());
        services.TryAddEnumerable(ServiceDescriptor.Scoped<CircuitHandler, LiveCircuitHandler>());
    }

    public void Configure(HubOptions options) => options.AddFilter(new LiveHubs());
}
