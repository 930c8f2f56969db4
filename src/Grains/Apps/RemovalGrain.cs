using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="IRemovalGrain"/>
/// <remarks>Reentrant: finishing a removal waits for confirmations, which must not block another call that removes the same thing.</remarks>
[Reentrant]
internal sealed partial class RemovalGrain(Tenancy tenancy, ILogger<RemovalGrain> logger) : Grain, IRemovalGrain, IRemindable
{
    private const string Reminder = "finish";

    // Longer than any caller waits, so that it does not interfere with a removal under way.
    private static readonly TimeSpan After = TimeSpan.FromMinutes(2);

    private string Key => this.GetPrimaryKeyString();

    public async Task<bool> BeginAsync()
    {
        try
        {
            await this.RegisterOrUpdateReminder(Reminder, After, After);
            return true;
        }
        catch (Exception failure)
        {
            Log.NotReminded(logger, failure, Key);
            return false;
        }
    }

    public async Task EndAsync()
    {
        try
        {
            if (await this.GetReminder(Reminder) is { } reminder)
            {
                await this.UnregisterReminder(reminder);
            }
        }
        catch (Exception failure)
        {
            // The reminder will find nothing to finish, and try again to unregister.
            Log.NotReminded(logger, failure, Key);
        }
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        try
        {
            var outcome = await tenancy.FinishAsync(Key);
            if (outcome != RemoveOutcome.Unavailable)
            {
                await EndAsync();
            }

            if (outcome == RemoveOutcome.Removed)
            {
                Log.Finished(logger, Key);
            }
        }
        catch (StoreUnavailableException failure)
        {
            Log.StillThere(logger, failure, Key);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2330, LogLevel.Warning, "Could not change the reminder that completes the removal of {Key}")]
        public static partial void NotReminded(ILogger logger, Exception failure, string key);

        [LoggerMessage(2331, LogLevel.Warning, "The interrupted removal of {Key} is now complete")]
        public static partial void Finished(ILogger logger, string key);

        [LoggerMessage(2332, LogLevel.Warning, "Could not complete the removal of {Key}; retrying")]
        public static partial void StillThere(ILogger logger, Exception failure, string key);
    }
}
