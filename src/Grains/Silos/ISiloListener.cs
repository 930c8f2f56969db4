using Grid.Abstractions.Apps;
using Grid.Grains.Sessions;
using Orleans.Services;

namespace Grid.Grains.Silos;

/// <summary>Present once in each silo, to hear what concerns that silo's memory.</summary>
[Alias("grid.silo-listener")]
internal interface ISiloListener : IGrainService
{
    /// <summary>Sessions were removed from the store: drop what is held of them.</summary>
    [Alias("sessions-ended")]
    Task SessionsEndedAsync(SessionsEnded ended);

    /// <summary>An app was changed or removed: read it again. Null = the list of domains changed.</summary>
    [Alias("app-changed")]
    Task AppChangedAsync(AppKey? app);
}
