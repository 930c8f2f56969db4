using Grid.Revocation;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>One silo's connections to the store. Nothing fails; everything costs time.</summary>
internal sealed class LagStore(LagWorld world, SimProcess process, Cores own) : IHolderStore, IServiceStore, IHolderRegistry
{
    private LagModel Model => world.Model;

    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken) => CallAsync(isWrite: true, rows: 1, () =>
    {
        world.Store.Register(row, cluster: 0);
        return new RegisteredHolder(world.Store.Head, new LeaseTerms(row.Lease), []);
    });

    public Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken) => CallAsync(isWrite: true, rows: 1, () =>
        world.Store.RegisterService(registration, cluster: 0) is { } refusal
            ? new RegisteredService(null, refusal)
            : new RegisteredService(new RegisteredHolder(world.Store.Head, new LeaseTerms(registration.Row.Lease), [])));

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken) => CallAsync(isWrite: true, renewal.Others.Count + 1, () =>
    {
        var renewed = world.Store.BeginRenewal(renewal);
        world.Store.EndRenewal(renewal, commit: true);
        return renewed;
    });

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => CallAsync(isWrite: true, rows: 1, () =>
    {
        world.Store.Leave(incarnation);
        return true;
    });

    public Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken) => CallAsync(isWrite: true, rows: 1, () => world.Store.LeaveService(own));

    public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) => ReadAllAsync(null);

    public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) => ReadAllAsync(app);

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) =>
        CallAsync(isWrite: true, rows: 1, () => world.Store.Remove(incarnation, counter));

    public Task<IReadOnlyList<RevocationEntry>> RevokeAsync(Scope scope) =>
        CallAsync(isWrite: true, rows: 1, () => world.Store.Revoke(scope, world.Store.TakePosition(), world.Wall, saw: false));

    // The rows are as they were when the statement began; to send and to read them takes its time.
    private Task<IReadOnlyList<HolderRow>> ReadAllAsync(string? app)
    {
        var done = new TaskCompletionSource<IReadOnlyList<HolderRow>>();
        world.Scheduler.After(world.Latency(), () =>
        {
            var rows = world.Store.List(cluster: 0, app);
            var sent = world.Database.Take(LagModel.Microseconds(Model.ListedRow * rows.Count)) + world.Latency();
            world.Scheduler.After(sent, process, () =>
                world.Scheduler.After(own.Take(LagModel.Microseconds(Model.ReadRow * rows.Count)), process, () => done.SetResult(rows)));
        });
        return done.Task;
    }

    private Task<T> CallAsync<T>(bool isWrite, int rows, Func<T> serve)
    {
        var done = new TaskCompletionSource<T>();
        world.Scheduler.After(world.Latency(), () =>
        {
            var work = world.Database.Take(LagModel.Microseconds(Model.RenewedRow * rows)) + LagModel.Milliseconds(isWrite ? Model.Flush : 0);
            world.Scheduler.After(work, () =>
            {
                var answer = serve();
                world.Scheduler.After(world.Latency(), process, () => done.SetResult(answer));
            });
        });
        return done.Task;
    }
}
