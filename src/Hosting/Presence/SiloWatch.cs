using Grid.Abstractions;

namespace Grid.Hosting.Presence;

/// <summary>Declares silos dead that have ended without a word, so that their grains come to life elsewhere within a second: the probes between silos take several.</summary>
internal sealed partial class SiloWatch(EndedSilos ended, IClusterMembershipService membership, ILocalSiloDetails here, ILogger<SiloWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private bool _cannotLook;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await LookAsync(stoppingToken);
                _cannotLook = false;
            }
            catch (Exception failure) when (failure is StoreUnavailableException || stoppingToken.IsCancellationRequested)
            {
                // Whoever uses the store says so.
            }
            catch (Exception failure)
            {
                if (!_cannotLook)
                {
                    _cannotLook = true;
                    Log.CannotLook(logger, failure);
                }
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var members = membership.CurrentSnapshot;
        if (members.GetSiloStatus(here.SiloAddress) != SiloStatus.Active)
        {
            return;
        }

        var others = members.Members.Values.Where(silo => !silo.SiloAddress.Equals(here.SiloAddress) && silo.Status is not (SiloStatus.None or SiloStatus.Dead));
        foreach (var silo in await ended.FindAsync(others.Select(silo => (silo.SiloAddress, (string?)silo.Name)), cancellationToken))
        {
            if (await membership.TryKill(silo))
            {
                Log.Ended(logger, silo);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1052, LogLevel.Warning, "Silo {Silo} has ended without leaving the cluster: its session with the database is over, and nothing listens at its address. It is declared dead")]
        public static partial void Ended(ILogger logger, SiloAddress silo);

        [LoggerMessage(1053, LogLevel.Warning, "Silos that have ended cannot be declared dead at once; the probes between silos do it in a few seconds. Retrying")]
        public static partial void CannotLook(ILogger logger, Exception failure);
    }
}
