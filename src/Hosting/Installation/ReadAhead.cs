using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;

namespace Grid.Hosting.Installation;

/// <summary>Reads what every request needs before the doors open, so that none of them waits for the installation's first signing keys to be made.</summary>
internal sealed class ReadAhead(IAppDirectory apps, IKeyRings keys) : IHostedService
{
    // A grain that was on a silo that has just died answers the second time.
    private const int Attempts = 2;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            try
            {
                if (await apps.FindAsync(AppKey.Public, cancellationToken) is { } app)
                {
                    await keys.GetAsync(app, cancellationToken);
                }

                return;
            }
            catch (StoreUnavailableException)
            {
                // Whoever needs it asks again, and is told. Readiness has its own checks.
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
