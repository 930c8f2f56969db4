using System.Collections.Immutable;
using Grid.Abstractions.Watches;
using Orleans.Runtime.Services;

namespace Grid.Grains.Watches;

/// <summary>Which silos there are, and what each of them tells. Tests plant faults here.</summary>
internal interface ISiloLinks
{
    /// <summary>Silos that may run session grains, this one included.</summary>
    IReadOnlyCollection<SiloAddress> Silos { get; }

    /// <summary>Whether it is this one.</summary>
    bool IsHere(SiloAddress silo);

    /// <inheritdoc cref="INoticeSource.OpenAsync"/>
    Task OpenAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> users);

    /// <inheritdoc cref="INoticeSource.ChangeAsync"/>
    Task<bool> ChangeAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed);

    /// <inheritdoc cref="INoticeSource.FetchAsync"/>
    Task<FetchedNotices?> FetchAsync(SiloAddress silo, string link, long number);

    /// <inheritdoc cref="INoticeSource.CloseAsync"/>
    Task CloseAsync(SiloAddress silo, string link);
}

/// <inheritdoc cref="ISiloLinks"/>
internal sealed class SiloLinks(IServiceProvider services, ISiloStatusOracle membership, Notices own) : GrainServiceClient<INoticeSource>(services), ISiloLinks
{
    // One that is stopping still answers what it has begun.
    public IReadOnlyCollection<SiloAddress> Silos =>
    [
        .. membership.GetApproximateSiloStatuses()
            .Where(silo => silo.Value is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping).Select(silo => silo.Key)
            .Append(membership.SiloAddress).Distinct(),
    ];

    public Task OpenAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> users)
    {
        if (!IsHere(silo))
        {
            return GetGrainService(silo).OpenAsync(link, users);
        }

        own.Open(link, users);
        return Task.CompletedTask;
    }

    public Task<bool> ChangeAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed) =>
        IsHere(silo) ? Task.FromResult(own.Change(link, added, removed)) : GetGrainService(silo).ChangeAsync(link, added, removed);

    public Task<FetchedNotices?> FetchAsync(SiloAddress silo, string link, long number) =>
        IsHere(silo) ? own.FetchAsync(link, number) : GetGrainService(silo).FetchAsync(link, number);

    public Task CloseAsync(SiloAddress silo, string link)
    {
        if (!IsHere(silo))
        {
            return GetGrainService(silo).CloseAsync(link);
        }

        own.Close(link);
        return Task.CompletedTask;
    }

    public bool IsHere(SiloAddress silo) => silo.Equals(membership.SiloAddress);
}
