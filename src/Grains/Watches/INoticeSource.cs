using System.Collections.Immutable;
using Grid.Abstractions.Watches;
using Orleans.Services;

namespace Grid.Grains.Watches;

/// <summary>One in each silo: tells other silos what its session grains did to users whom they watch.</summary>
/// <remarks>
/// A silo that serves watches fetches, so that one that is slow or gone holds up nobody: what it does not fetch is dropped, and it hears that
/// something was. Whatever goes wrong with a link ends it: then the reader opens another one, and tells its watches that they may have missed something.
/// </remarks>
[Alias("grid.notice-source")]
internal interface INoticeSource : IGrainService
{
    /// <summary>Opens a link.</summary>
    /// <param name="link">Its id, chosen by the reader.</param>
    /// <param name="users">Whom the reader watches.</param>
    [Alias("open")]
    Task OpenAsync(string link, ImmutableArray<WatchedUser> users);

    /// <summary>Changes whom the reader watches.</summary>
    /// <param name="link">Its id.</param>
    /// <param name="added">From when this is answered on, notices of these are kept for it.</param>
    /// <param name="removed">Nobody watches these there any more.</param>
    /// <returns>False: there is no such link.</returns>
    [Alias("change")]
    Task<bool> ChangeAsync(string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed);

    /// <summary>Notices since the last call: at once if there are any, else after a second.</summary>
    /// <param name="link">Its id.</param>
    /// <param name="number">From 1 on, one more each time.</param>
    /// <returns>Null: there is no such link, or a call was lost on the way, and its notices with it.</returns>
    [Alias("fetch")]
    Task<FetchedNotices?> FetchAsync(string link, long number);

    /// <summary>The reader watches nobody any more.</summary>
    [Alias("close")]
    Task CloseAsync(string link);
}

/// <summary>What a link brings.</summary>
/// <param name="Notices">In their order.</param>
/// <param name="AreLost">Whether others were dropped because the reader is too slow.</param>
[GenerateSerializer, Immutable, Alias("grid.fetched-notices")]
internal sealed record FetchedNotices([property: Id(0)] ImmutableArray<SessionNotice> Notices, [property: Id(1)] bool AreLost);
