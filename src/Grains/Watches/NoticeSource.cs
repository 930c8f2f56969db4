using System.Collections.Immutable;
using Grid.Abstractions.Watches;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Watches;

/// <inheritdoc cref="INoticeSource"/>
internal sealed class NoticeSource(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, Notices notices) : GrainService(id, silo, loggers), INoticeSource
{
    public Task OpenAsync(string link, ImmutableArray<WatchedUser> users)
    {
        notices.Open(link, users);
        return Task.CompletedTask;
    }

    public Task<bool> ChangeAsync(string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed) => Task.FromResult(notices.Change(link, added, removed));

    public Task<FetchedNotices?> FetchAsync(string link, long number) => notices.FetchAsync(link, number);

    public Task CloseAsync(string link)
    {
        notices.Close(link);
        return Task.CompletedTask;
    }
}
