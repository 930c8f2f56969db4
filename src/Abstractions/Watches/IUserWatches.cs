using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Watches;

/// <summary>Watches of users that this silo serves (docs/decisions/0021).</summary>
public interface IUserWatches
{
    /// <summary>Begins a watch. Its first notice is <see cref="SessionNoticeKind.Started"/>.</summary>
    /// <param name="user">Whose sessions.</param>
    /// <param name="tenantId">In which tenant; null: in all.</param>
    /// <param name="client">Who watches: no client may have all the room.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The watch; or why there is none.</returns>
    /// <exception cref="StoreUnavailableException">The user's sessions cannot be read.</exception>
    Task<(IUserWatch? Watch, string? Refusal)> OpenAsync(WatchedUser user, string? tenantId, string client, CancellationToken cancellationToken);
}

/// <summary>One watch. Dispose it, or its place stays taken.</summary>
public interface IUserWatch : IDisposable
{
    /// <summary>What it is about.</summary>
    AppKey App { get; }

    /// <summary>The next notices, in order. One reader at a time.</summary>
    /// <param name="max">At most so many.</param>
    /// <param name="within">How long to wait for the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>None: nothing happened in that time. Null: the watch is over, because the silo stops.</returns>
    ValueTask<IReadOnlyList<SessionNotice>?> ReadAsync(int max, TimeSpan within, CancellationToken cancellationToken);
}
