using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Grains.Purge;

/// <inheritdoc cref="IPurgeGrain"/>
internal sealed partial class PurgeGrain(
    ISessionStore store, IImportStore imports, IOptions<PurgeOptions> options, ClockTrust trust, TimeProvider clock, ILogger<PurgeGrain> logger)
    : Grain, IPurgeGrain, IRemindable
{
    private const string Reminder = "purge";

    // A process whose clock is behind may still accept the session, and a revocation that no longer finds its row would leave nothing in
    // the log for that process to read. Clocks of silos differ by a minute at most, or they are not ready; those of services are not compared.
    private static readonly TimeSpan KeepExpired = TimeSpan.FromMinutes(10);

    // An original that went on serving beside Grid may have given its session a longer life than it had when it came here. A note that is
    // missing then would let the session come a second time.
    private static readonly TimeSpan KeepImported = TimeSpan.FromDays(100);

    public Task StartAsync() => this.RegisterOrUpdateReminder(Reminder, options.Value.Period, options.Value.Period);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (!trust.MayPurge)
        {
            // Deleted rows cannot be restored: do not purge by a clock that may be wrong.
            Log.ClockInDoubt(logger, trust.Verdict, trust.PurgeHeldFor);
            return;
        }

        var settings = options.Value;
        var deadline = clock.GetTimestamp();
        var removed = 0;
        try
        {
            int batch;
            do
            {
                var now = trust.Earliest();
                batch = await store.PurgeExpiredAsync(now - KeepExpired, settings.BatchSize, CancellationToken.None);
                batch += await store.PurgeRevocationsAsync(now - settings.KeepRevocations, settings.BatchSize, CancellationToken.None);
                batch += await store.PurgeOrdersAsync(now, settings.BatchSize, CancellationToken.None);
                batch += await imports.PurgeAsync(now - KeepImported, settings.BatchSize, CancellationToken.None);
                removed += batch;

                // Small steps with pauses: requests must not notice the deletion of a million rows.
                await Task.Delay(settings.Pause, clock);
            }
            while (batch >= settings.BatchSize && trust.MayPurge && clock.GetElapsedTime(deadline) < settings.Period / 2);
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure);
        }

        if (removed > 0)
        {
            Log.Purged(logger, removed);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2500, LogLevel.Information, "Purged {Count} expired rows")]
        public static partial void Purged(ILogger logger, int count);

        [LoggerMessage(2502, LogLevel.Information, "Purge skipped: this machine's clock is in doubt ({Verdict}; on hold for {Hold})")]
        public static partial void ClockInDoubt(ILogger logger, ClockVerdict verdict, TimeSpan hold);

        [LoggerMessage(2501, LogLevel.Warning, "Store unavailable during the purge; it resumes at the next reminder")]
        public static partial void StoreUnavailable(ILogger logger, Exception failure);
    }
}
