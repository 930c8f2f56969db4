using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Between silos: slow, out of order, lost, doubled.</summary>
internal sealed class SimTransport(Silo from) : IHolderTransport
{
    private readonly World _world = from.World;

    public Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
    {
        if (address == from.Address)
        {
            return from.ApplyAsync(entries);
        }

        var done = new TaskCompletionSource<IReadOnlyCollection<Guid>>();
        for (var copies = _world.Dice.Chance(_world.Settings.Doubled) ? 2 : 1; copies > 0; copies--)
        {
            _world.Scheduler.After(_world.Latency(), () => Deliver(address, entries, done));
        }

        // Sooner or later it is given up, or never.
        if (_world.Dice.Chance(0.8))
        {
            _world.Scheduler.After(_world.Dice.Milliseconds(500, 4_000), from.Process, () => done.TrySetException(new SimulatedFailure("no confirmation")));
        }

        return done.Task;
    }

    private void Deliver(string address, IReadOnlyList<RevocationEntry> entries, TaskCompletionSource<IReadOnlyCollection<Guid>> done)
    {
        if (_world.SiloAt(address, from.Machine.Cluster) is not { } to)
        {
            Answer(() => done.TrySetResult([]));
        }
        else if (from.Machine.Reaches(to.Machine) && !_world.Dice.Chance(_world.Settings.PushLoss))
        {
            _world.OnPush(to);
            to.Process.Run(() => SimProcess.Observe(ReceiveAsync(to, entries, done)));
        }
    }

    private async Task ReceiveAsync(Silo to, IReadOnlyList<RevocationEntry> entries, TaskCompletionSource<IReadOnlyCollection<Guid>> done)
    {
        var confirmed = await to.ApplyAsync(entries);
        if (to.Machine.Reaches(from.Machine) && !_world.Dice.Chance(_world.Settings.PushLoss))
        {
            Answer(() => done.TrySetResult(confirmed));
        }
    }

    private void Answer(Action answer) => _world.Scheduler.After(_world.Latency(), from.Process, answer);
}
