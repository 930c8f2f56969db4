using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>One process's connections to the store: slow, lossy, cut. A lost answer leaves the caller not knowing what was done.</summary>
internal sealed class StoreClient(World world, SimProcess process) : IHolderStore, IServiceStore, IHolderRegistry, ISessionLook
{
    private readonly SimStore _store = world.Store;
    private readonly Scheduler _scheduler = world.Scheduler;

    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken) => CallAsync<RegisteredHolder>("register", answer =>
    {
        // One store reads the head before it commits the row, the other after.
        var head = world.Dice.Chance(0.5) ? _store.Head : null;
        Later(world.Dice.Chance(0.5) ? Hold() : TimeSpan.Zero, commit =>
        {
            if (commit)
            {
                _store.Register(row, process.Machine.Cluster);
                answer(new RegisteredHolder(head ?? _store.Head, new LeaseTerms(row.Lease), []));
            }
        });
    });

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken) => CallAsync<RenewedHolder>("renew", answer =>
    {
        var renewed = _store.BeginRenewal(renewal);
        Later(world.Dice.Chance(0.1) ? Hold() : TimeSpan.Zero, commit =>
        {
            _store.EndRenewal(renewal, commit);
            if (commit)
            {
                answer(renewed);
            }
        });
    });

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) =>
        CallAsync<bool>("leave", answer => WhenUnlocked(incarnation, () =>
        {
            _store.Leave(incarnation);
            answer(true);
        }));

    public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<HolderRow>>("list", answer => answer(_store.List(process.Machine.Cluster, null)));

    public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<HolderRow>>("list", answer => answer(_store.List(process.Machine.Cluster, app)));

    public Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken) =>
        CallAsync<RegisteredService>("register", answer => Later(world.Dice.Chance(0.5) ? Hold() : TimeSpan.Zero, commit => WhenUnlocked(registration.Former?.Incarnation, () =>
        {
            if (commit)
            {
                answer(_store.RegisterService(registration, process.Machine.Cluster) is { } refusal
                    ? new RegisteredService(null, refusal)
                    : new RegisteredService(new RegisteredHolder(_store.Head, new LeaseTerms(registration.Row.Lease), [])));
            }
        })));

    public Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken) =>
        CallAsync<bool>("leave", answer => WhenUnlocked(own.Incarnation, () => answer(_store.LeaveService(own))));

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) =>
        CallAsync<bool>("remove", answer => WhenUnlocked(incarnation, () => answer(_store.Remove(incarnation, counter))));

    public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) =>
        new(CallAsync<FoundSession?>("look", answer => answer(Serves(name) || world.Mistake == Mistake.CreateOutlivesRemoval
            ? _store.Look(name, Now, former: world.Dice.Chance(0.3))
            : null)));

    /// <summary>Whether a silo of this cluster may work on this store.</summary>
    public Task<bool> JoinAsync() =>
        CallAsync<bool>("join", answer => answer(process.Machine.Cluster == 0 || world.Mistake == Mistake.ClustersShareAStore));

    public Task<bool> CreateAsync(SessionName name, string user, TimeSpan life) =>
        WriteAsync("create", () => _store.Create(name, user, Now + life));

    public Task<bool> OrderAsync(SessionName name, string user, TimeSpan until) => WriteAsync("order", () =>
    {
        _store.Order(name, user, Now + until);
        return true;
    });

    public Task<bool> RedeemAsync(SessionName name, TimeSpan life) => WriteAsync("redeem", () => _store.Redeem(name, Now, Now + life));

    public Task<IReadOnlyList<RevocationEntry>> RevokeAsync(Scope scope) => CallAsync<IReadOnlyList<RevocationEntry>>("revoke", answer =>
    {
        var position = _store.TakePosition();
        var saw = scope.Session is { } session && _store.Lives(session);
        Later(Hold(), commit =>
        {
            if (commit)
            {
                // Aged by the store's clock, if that of who revokes is behind.
                var at = Now - process.Machine.BehindBy;
                answer(_store.Revoke(scope, position, at > world.Wall || world.Mistake == Mistake.LogAgedByItsWriter ? at : world.Wall, saw));
            }
        });
    });

    /// <summary>Writes a session's row; 0 if there is none.</summary>
    public Task<long> WriteRowAsync(SessionName name, Action<long> committed) => WriteAsync("write row", () =>
    {
        var version = _store.WriteRow(name);
        if (version > 0)
        {
            committed(version);
        }

        return version;
    });

    /// <summary>What has expired, and what the log has kept for long enough.</summary>
    /// <remarks>A process whose clock the store contradicts purges nothing. What expired a moment ago may still live by somebody else's.</remarks>
    public Task<bool> PurgeAsync(TimeSpan keepExpired, TimeSpan keepLog) => WriteAsync("purge", () =>
    {
        var now = Now + process.Machine.WrongBy;
        if ((now - world.Wall).Duration() > TimeSpan.FromSeconds(90) && world.Mistake != Mistake.PurgeByAWrongClock)
        {
            return false;
        }

        _store.PurgeExpired(now - (world.Mistake == Mistake.ExpiredPurgedAtOnce ? TimeSpan.Zero : keepExpired));
        _store.PurgeLog(Now - keepLog);
        return true;
    });

    /// <summary>Whether sessions may be made in its tenant and its app.</summary>
    public Task<bool> IsServedAsync(SessionName name) => CallAsync<bool>("served", answer => answer(Serves(name)));

    public Task<(Presence Presence, int Life)> ScopeAsync(string app, string? tenant) =>
        CallAsync<(Presence, int)>("scope", answer => answer(_store.Scope(app, tenant)));

    /// <summary>Writes what a tenant or an app has come to, if nobody else has since it was read.</summary>
    public Task<bool> SetScopeAsync(Scope scope, (Presence Presence, int Life) expected, Presence next) => WriteAsync("set scope", () =>
    {
        if (_store.Scope(scope.App, scope.Tenant) != expected && world.Mistake != Mistake.LateRemovalHitsTheNamesake)
        {
            return false;
        }

        _store.Set(scope.App, scope.Tenant, next, expected.Life + (next == Presence.Exists ? 1 : 0));
        return true;
    });

    private bool Serves(SessionName name) =>
        _store.Scope(name.App, name.Tenant).Presence == Presence.Exists && _store.Scope(name.App, null).Presence == Presence.Exists;

    private DateTimeOffset Now => process.Machine.Clock.GetUtcNow();

    // Committed a little later than it came, or rolled back.
    private Task<T> WriteAsync<T>(string what, Func<T> write) => CallAsync<T>(what, answer => Later(Hold(), commit =>
    {
        if (commit)
        {
            answer(write());
        }
    }));

    private Task<T> CallAsync<T>(string what, Action<Action<T>> serve)
    {
        var done = new TaskCompletionSource<T>();
        if (process.Machine.IsCutFromStore || world.Dice.Chance(world.Settings.Loss))
        {
            Fail(done, GiveUp(), "no answer");
            return done.Task;
        }

        _scheduler.After(world.Latency(), () =>
        {
            if (_store.IsDown)
            {
                Fail(done, _store.IsSilent ? GiveUp() : world.Latency(), "the store is down");
                return;
            }

            var isServed = false;
            serve(answer =>
            {
                isServed = true;
                if (process.Machine.IsCutFromStore || world.Dice.Chance(world.Settings.Loss))
                {
                    Fail(done, GiveUp(), "the answer was lost");
                }
                else
                {
                    _scheduler.After(world.Latency(), process, () => done.TrySetResult(answer));
                }

                if (_scheduler.IsVerbose)
                {
                    _scheduler.Note($"store: {what} for {process.Machine.Name}: {Text(answer)}");
                }
            });

            // It may wait in there for a lock, or go down.
            if (!isServed)
            {
                Fail(done, GiveUp() + GiveUp(), "took too long");
            }
        });
        return done.Task;
    }

    private void Fail<T>(TaskCompletionSource<T> done, TimeSpan after, string why) =>
        _scheduler.After(after, process, () => done.TrySetException(new SimulatedFailure(why)));

    private TimeSpan Hold() => world.Dice.Chance(0.9) ? world.Dice.Milliseconds(0.1, 5) : world.Dice.Milliseconds(5, 800);

    // What a driver's command timeout is.
    private TimeSpan GiveUp() => world.Dice.Milliseconds(500, 2_000);

    // A transaction under way when the store goes down is rolled back, or was just committed.
    private void Later(TimeSpan delay, Action<bool> end)
    {
        if (delay == TimeSpan.Zero)
        {
            end(true);
            return;
        }

        var outages = _store.Outages;
        _scheduler.After(delay, () => end(outages == _store.Outages || world.Dice.Chance(0.5)));
    }

    private void WhenUnlocked(Guid? incarnation, Action action)
    {
        if (incarnation is { } row && _store.IsLocked(row))
        {
            _scheduler.After(world.Dice.Milliseconds(1, 10), () => WhenUnlocked(incarnation, action));
        }
        else
        {
            action();
        }
    }

    private static string Text(object? answer) => answer switch
    {
        RenewedHolder renewed => $"{renewed.Cursor} lost {renewed.Lost.Count} [{string.Join(' ', renewed.Entries.Select(Name))}]",
        RegisteredHolder registered => registered.Cursor,
        IReadOnlyList<HolderRow> rows => string.Join(' ', rows.Select(row => $"{row.Name}{(row.App is null ? "" : $" of {row.App}")}:{row.Incarnation.ToString()[..4]}:{row.Counter}")),
        IReadOnlyList<RevocationEntry> entries => string.Join(' ', entries.Select(Name)),
        FoundSession found => $"{found.Name.Id.ToString()[..4]} epoch {found.Epoch}",
        _ => answer?.ToString() ?? "nothing",
    };

    private static string Name(RevocationEntry entry) => $"{entry.Position}:{entry.Kind}:{entry.Session?.Id.ToString()[..4]}{entry.UserId}{entry.Epoch}";
}
