using Grid.Revocation.Holders;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>See <see cref="Mistake.RegistryReadBeforeTheCommit"/>.</summary>
internal sealed class EarlyRegistry(IHolderRegistry inner) : IHolderRegistry
{
    private IReadOnlyList<HolderRow>? _early;

    public async Task ReadAsync() => _early = await inner.ListAsync(CancellationToken.None);

    public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken)
    {
        var early = _early;
        _early = null;
        return early is null ? inner.ListAsync(cancellationToken) : Task.FromResult(early);
    }

    public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken)
    {
        var early = _early;
        _early = null;
        return early is null ? inner.ListServingAsync(app, cancellationToken) : Task.FromResult(early);
    }

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) =>
        inner.RemoveAsync(incarnation, counter, cancellationToken);
}

/// <summary>See <see cref="Mistake.MarginTooSmall"/> and <see cref="Mistake.ReaperTooEarly"/>.</summary>
internal sealed class ShorterLeases(IHolderRegistry inner, Func<HolderRow, TimeSpan> lease) : IHolderRegistry
{
    public async Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await inner.ListAsync(cancellationToken)).Select(row => row with { Lease = lease(row) })];

    public async Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) =>
        [.. (await inner.ListServingAsync(app, cancellationToken)).Select(row => row with { Lease = lease(row) })];

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) =>
        inner.RemoveAsync(incarnation, counter, cancellationToken);
}

/// <summary>See <see cref="Mistake.LookFromMemory"/>.</summary>
internal sealed class RememberedLooks(World world, ISessionLook inner) : ISessionLook
{
    private readonly Dictionary<Guid, (TimeSpan At, FoundSession Found)> _memory = [];

    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        if (_memory.TryGetValue(name.Id, out var known) && world.Scheduler.Now - known.At < TimeSpan.FromSeconds(1))
        {
            return known.Found;
        }

        var found = await inner.LookAsync(name, cancellationToken);
        if (found is not null)
        {
            _memory[name.Id] = (world.Scheduler.Now, found);
        }

        return found;
    }
}

/// <summary>See <see cref="Mistake.RenewalFromMemory"/>.</summary>
internal sealed class RememberedRenewals(IHolderStore inner) : IHolderStore
{
    private (Guid? Incarnation, Task<RenewedHolder> Answer)? _ahead;

    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken) => inner.RegisterAsync(row, cancellationToken);

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => inner.LeaveAsync(incarnation, cancellationToken);

    public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        var ahead = _ahead is { } asked && asked.Incarnation == renewal.Incarnation ? asked.Answer : null;
        _ahead = null;
        var renewed = await (ahead ?? inner.RenewAsync(renewal, cancellationToken));
        _ahead = (renewal.Incarnation, inner.RenewAsync(renewal with { Cursor = renewed.Cursor }, cancellationToken));
        return renewed;
    }
}

/// <summary>See <see cref="Mistake.RelayNotTold"/>.</summary>
internal sealed class SilentRegistration(IHolderStore relay, IHolderStore store) : IHolderStore
{
    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken) => store.RegisterAsync(row, cancellationToken);

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken) => relay.RenewAsync(renewal, cancellationToken);

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => store.LeaveAsync(incarnation, cancellationToken);
}
