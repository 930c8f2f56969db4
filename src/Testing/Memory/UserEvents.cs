using System.Threading.Channels;
using Grid.Abstractions.Sessions;
using Grid.Client;

namespace Grid.Testing.Memory;

/// <summary>Who watches which user, and what is told them. Used under the lock of <see cref="GridTestSessions"/>.</summary>
internal sealed class UserEvents
{
    private readonly List<(string UserId, string? TenantId, Channel<SessionEvent> Events)> _watches = [];

    public ChannelReader<SessionEvent> Open(string userId, string? tenantId, DateTimeOffset now)
    {
        var events = Channel.CreateUnbounded<SessionEvent>();
        events.Writer.TryWrite(new SessionEvent { Kind = SessionEventKind.Watching, At = now, UserId = userId });
        _watches.Add((userId, tenantId, events));
        return events.Reader;
    }

    public void Close(ChannelReader<SessionEvent> reader) => _watches.RemoveAll(watch => watch.Events.Reader == reader);

    public void Created(SessionRecord row) => Tell(row, Event(row, SessionEventKind.Created, row.CreatedAt));

    public void Written(SessionRecord before, SessionRecord after, DateTimeOffset now)
    {
        if (after.Chain != before.Chain)
        {
            Tell(after, Event(after, SessionEventKind.Refreshed, now));
        }

        var (payload, data) = (after.PayloadJson != before.PayloadJson, after.DataJson != before.DataJson);
        if (payload || data)
        {
            Tell(after, Event(after, SessionEventKind.Changed, now) with { PayloadChanged = payload, DataChanged = data });
        }
    }

    public void Ended(SessionRecord row, DateTimeOffset at, SessionEndReason reason) =>
        Tell(row, Event(row, SessionEventKind.Ended, at) with { ExpiresAt = null, EndReason = reason });

    private static SessionEvent Event(SessionRecord row, SessionEventKind kind, DateTimeOffset at) => new()
    {
        Kind = kind,
        At = at,
        UserId = row.UserId,
        Handle = row.Key.Handle.ToString(),
        TenantId = row.Key.Handle.TenantId,
        ExpiresAt = row.ExpiresAt,
    };

    private void Tell(SessionRecord row, SessionEvent told)
    {
        foreach (var (userId, tenantId, events) in _watches)
        {
            if (userId == row.UserId && (tenantId is null || tenantId == row.Key.Handle.TenantId))
            {
                events.Writer.TryWrite(told);
            }
        }
    }
}
