namespace Grid.Hosting.Presence;

/// <summary>
/// Before a silo joins, it clears the cluster's table of silos that have ended without a word, its own former self first of all: it would
/// otherwise wait for their answer, since whoever joins has to reach everyone.
/// </summary>
internal sealed partial class FormerSilos(IMembershipTable table, EndedSilos ended, ILogger<FormerSilos> logger)
{
    // The table moves on when others change it.
    private const int Attempts = 5;

    /// <summary>Declares them dead. If that fails, joining takes longer.</summary>
    public async Task DeclareDeadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await table.InitializeMembershipTableAsync(tryInitTableVersion: true, cancellationToken);
            var known = await table.ReadAllAsync(cancellationToken);
            foreach (var silo in await ended.FindAsync(
                known.Members.Where(row => IsThere(row.Item1)).Select(row => (row.Item1.SiloAddress, (string?)row.Item1.SiloName)), cancellationToken))
            {
                await DeclareDeadAsync(silo, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.NotCleared(logger, failure);
        }
    }

    private static bool IsThere(MembershipEntry silo) => silo.Status is not (SiloStatus.None or SiloStatus.Dead);

    private async Task DeclareDeadAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var now = await table.ReadAllAsync(cancellationToken);
            if (now.TryGet(silo) is not { } row || !IsThere(row.Item1))
            {
                return;
            }

            row.Item1.Status = SiloStatus.Dead;
            if (await table.UpdateRowAsync(row.Item1, row.Item2, now.Version.Next(), cancellationToken))
            {
                Log.Ended(logger, silo);
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1050, LogLevel.Information, "Silo {Silo} had ended without leaving the cluster; it is declared dead, and its lease is waited out")]
        public static partial void Ended(ILogger logger, SiloAddress silo);

        [LoggerMessage(1051, LogLevel.Information, "The cluster's table could not be cleared of silos that have ended; joining may take longer")]
        public static partial void NotCleared(ILogger logger, Exception failure);
    }
}
