using Grid.Client;
using Grid.Revocation.Holders;
using Grid.Tokens;

namespace Grid.GrainClient.Sessions;

/// <summary>Tells when sessions end, by asking for them every second.</summary>
internal static class PolledWatches
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <exception cref="ArgumentException">That is no handle.</exception>
    public static SessionWatch Begin(IGridSessions sessions, string app, string handle)
    {
        if (!SessionHandleText.TryParse(handle, out var id, out var tenantId))
        {
            throw new ArgumentException($"'{handle}' is no session handle.", nameof(handle));
        }

        var over = new CancellationTokenSource();
        var watch = new SessionWatch(new SessionName(app, tenantId, id), 0, _ => over.Cancel());
        _ = AskAsync(sessions, handle, watch, over.Token);
        return watch;
    }

    private static async Task AskAsync(IGridSessions sessions, string handle, SessionWatch watch, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(Every, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (await sessions.FindAsync(handle, over) is null)
                {
                    watch.End();
                    return;
                }
            }
            catch (Exception failure) when (failure is GridException or OperationCanceledException)
            {
                // Nobody is signed out by an outage.
            }
        }
    }
}
