using System.Collections.Concurrent;
using Grid.Revocation;
using Grid.WebFront.Core.Revocation;
using Microsoft.Extensions.Hosting;

namespace Grid.WebFront.GrainDoors;

/// <summary>The connections of services that check tokens and are Orleans clients of this silo. What is said over one is what the core API's WebSocket carries, and is served by the same code.</summary>
internal sealed class Tunnels(ConnectHolder holders, IHostApplicationLifetime host)
{
    // A service fetches once a second at least.
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Tunnel> _open = new(StringComparer.Ordinal);

    /// <summary>Opens one.</summary>
    /// <returns>Its id; or why not.</returns>
    public (string? Id, string? Refusal) Open(DoorCall call)
    {
        var app = call.App.App.ToString();
        var (place, refusal) = holders.Enter(app);
        if (place is null)
        {
            return (null, refusal);
        }

        var tunnel = new Tunnel(app, LeaseClock.Instance);
        _open[tunnel.Id] = tunnel;

        // Not in the caller's turn, and not with what came along with the call.
        _ = Detached.Run(() => ServeAsync(tunnel, call, place));
        return (tunnel.Id, null);
    }

    /// <summary>One of the caller's app; null if there is none.</summary>
    public Tunnel? Find(DoorCall call, string? id) => id is not null && _open.TryGetValue(id, out var tunnel) && tunnel.App == call.App.App.ToString() ? tunnel : null;

    private async Task ServeAsync(Tunnel tunnel, DoorCall call, IDisposable place)
    {
        using (place)
        using (var over = CancellationTokenSource.CreateLinkedTokenSource(host.ApplicationStopping))
        {
            var watching = EndTheSilentAsync(tunnel, over.Token);
            await holders.ServeAsync(tunnel, call.App, "a gateway", call.IsAdmittedTo, place, over.Token);

            // The reason can be fetched for a moment.
            await Task.Delay(CheckEvery, CancellationToken.None);
            await over.CancelAsync();
            await watching;
        }

        _open.TryRemove(tunnel.Id, out _);
        tunnel.Abort();
    }

    // No broken connection tells of a service that has vanished.
    private static async Task EndTheSilentAsync(Tunnel tunnel, CancellationToken over)
    {
        using var timer = new PeriodicTimer(CheckEvery, LeaseClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                if (tunnel.Silence > SilenceAllowed)
                {
                    tunnel.Abort();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }
}
