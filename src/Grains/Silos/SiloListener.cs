using Grid.Abstractions.Apps;
using Grid.Grains.Apps;
using Grid.Grains.Sessions;
using Grid.Grains.SigningKeys;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Silos;

/// <inheritdoc cref="ISiloListener"/>
internal sealed class SiloListener(
    GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, LocalSessions sessions, AppDirectory apps, KeyRings keys)
    : GrainService(id, silo, loggers), ISiloListener
{
    public Task SessionsEndedAsync(SessionsEnded ended)
    {
        sessions.End(ended);
        return Task.CompletedTask;
    }

    public Task AppChangedAsync(AppKey? app)
    {
        apps.Forget(app);
        if (app is { } changed)
        {
            keys.Forget(changed);
        }

        return Task.CompletedTask;
    }
}
