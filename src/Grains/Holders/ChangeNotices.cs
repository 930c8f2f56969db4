using System.Collections.Immutable;
using System.Threading.Channels;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Telemetry;
using Grid.Grains.Silos;
using Grid.Revocation.Holders;
using Microsoft.Extensions.Hosting;

namespace Grid.Grains.Holders;

/// <summary>Tells other silos which sessions were written, so that they read their details again. A lost notice leaves details outdated for up to a lease, and never affects safety.</summary>
internal sealed class ChangeNotices(Holder holder, SiloBroadcast silos, GridMetrics metrics, TimeProvider clock) : BackgroundService, ISessionChanges
{
    private const int MaxBatch = 4_096;

    // A batch waits a second at most for a silo that does not answer, and so may the one before.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2.5);

    private readonly Channel<Notice> _waiting = Channel.CreateBounded<Notice>(
        new BoundedChannelOptions(64 * 1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, static dropped => dropped.Told?.TrySetResult());

    /// <summary>Call it after the write. When it returns, this silo's holder knows.</summary>
    public void Announce(SessionName session)
    {
        holder.MarkChanged(session);
        _waiting.Writer.TryWrite(new Notice(session, null));
    }

    public async Task TellAsync(SessionKey session)
    {
        holder.MarkChanged(session.Name);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_waiting.Writer.TryWrite(new Notice(session.Name, told)))
        {
            return;
        }

        try
        {
            await told.Task.WaitAsync(Patience, clock);
        }
        catch (TimeoutException)
        {
            // Whoever has not heard reads again by itself within a lease.
        }
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
                List<TaskCompletionSource> told = [];
                while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var notice))
                {
                    batch.Add(notice.Session);
                    if (notice.Told is { } waits)
                    {
                        told.Add(waits);
                    }
                }

                await silos.SessionsChangedAsync(batch.ToImmutable());
                told.ForEach(static waits => waits.TrySetResult());
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: nobody waits any more.
            _waiting.Writer.TryComplete();
            while (_waiting.Reader.TryRead(out var notice))
            {
                notice.Told?.TrySetResult();
            }
        }
    }

    private readonly record struct Notice(SessionName Session, TaskCompletionSource? Told);
}
