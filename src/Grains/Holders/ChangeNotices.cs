using System.Collections.Immutable;
using System.Threading.Channels;
using Grid.Abstractions.Telemetry;
using Grid.Grains.Silos;
using Grid.Revocation.Holders;
using Microsoft.Extensions.Hosting;

namespace Grid.Grains.Holders;

/// <summary>Tells other silos which sessions were written, so that they read their details again. A lost notice leaves details outdated for up to a lease, and never affects safety.</summary>
internal sealed class ChangeNotices(Holder holder, SiloBroadcast silos, GridMetrics metrics) : BackgroundService
{
    private const int MaxBatch = 4_096;

    private readonly Channel<SessionName> _waiting = Channel.CreateBounded<SessionName>(
        new BoundedChannelOptions(64 * 1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    /// <summary>Call it after the write. When it returns, this silo's holder knows.</summary>
    public void Announce(SessionName session)
    {
        holder.MarkChanged(session);
        _waiting.Writer.TryWrite(session);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.Queue("change_notices", () => _waiting.Reader.Count);
        try
        {
            while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                // Notices that arrive while a batch is under way go with the next.
                var batch = ImmutableArray.CreateBuilder<SessionName>();
                while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var session))
                {
                    batch.Add(session);
                }

                await silos.SessionsChangedAsync(batch.ToImmutable());
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }
}
