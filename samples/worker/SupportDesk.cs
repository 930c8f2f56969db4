using Grid.Client;

namespace Grid.Samples.Worker;

/// <summary>Shows a user's sessions, and what happens to them; ends them if it is told to: <c>--user alice --end true</c>, <c>--user alice --watch true</c>.</summary>
internal sealed class SupportDesk(IGridSessions sessions, IConfiguration configuration, IHostApplicationLifetime lifetime) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var user = configuration["user"] ?? "alice";
        if (configuration.GetValue<bool>("watch"))
        {
            await WatchAsync(user, stoppingToken);
            return;
        }

        await ListAsync(user, stoppingToken);
        if (configuration.GetValue<bool>("end"))
        {
            var ended = await EndAsync(user, stoppingToken);
            Console.WriteLine($"{ended.Handles.Count} sessions of {user} have ended; {ended.Receipt.Confirmed} processes have confirmed it");
        }

        lifetime.StopApplication();
    }

    // Until the program is stopped. What was there before, or may have been missed, is in the list.
    private async Task WatchAsync(string user, CancellationToken cancel)
    {
        await foreach (var told in sessions.WatchUserAsync(user, tenantId: null, cancel))
        {
            if (told.Kind is SessionEventKind.Watching or SessionEventKind.MayHaveMissed)
            {
                await ListAsync(user, cancel);
            }
            else
            {
                Console.WriteLine($"{told.At:u} {told.Kind} {told.Handle} {told.EndReason}".TrimEnd());
            }
        }
    }

    private async Task ListAsync(string user, CancellationToken cancel)
    {
        var handles = await WhenThereAsync(() => sessions.ListAsync(user, tenantId: null, cancel), cancel);
        Console.WriteLine($"{user} has {handles.Count} sessions");
        foreach (var handle in handles)
        {
            if (await WhenThereAsync(() => sessions.FindAsync(handle, cancel).AsTask(), cancel) is { } session)
            {
                Console.WriteLine($"  {session.Handle}, since {session.CreatedAt:u}");
            }
        }
    }

    // A repetition of a revocation finishes and confirms what the first one may have begun.
    private Task<GridRevocation> EndAsync(string user, CancellationToken cancel) =>
        WhenThereAsync(() => sessions.RevokeUserAsync(user, tenantId: null, exceptHandle: null, cancel), cancel);

    // A worker has time: it waits until a silo is there. What Grid refuses (a wrong key, an unknown app) is not tried again.
    private static async Task<T> WhenThereAsync<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (GridException failure) when (failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting)
            {
                Console.WriteLine($"waiting: {failure.Message}");
                await Task.Delay(Pause, cancel);
            }
        }
    }
}
