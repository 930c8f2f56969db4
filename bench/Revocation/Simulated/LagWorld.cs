using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Bench.Revocation.Simulated;

/// <summary>Silos, the services behind them and one revocation after the other, in virtual time. The same seed gives the same figures.</summary>
internal sealed class LagWorld
{
    public const string App = "public";

    private const string Tenant = "public";

    // By then all are registered and fresh.
    private static readonly TimeSpan Joined = TimeSpan.FromSeconds(6);

    // A revocation takes W, 12.75 s, at most.
    private static readonly TimeSpan Ending = TimeSpan.FromSeconds(14);

    private readonly LagService[] _services;
    private readonly List<RevocationReceipt> _receipts = [];
    private int _users;

    private LagWorld(LagModel model, ulong seed)
    {
        Model = model;
        Scheduler = new Scheduler(seed, isVerbose: false, maxSteps: int.MaxValue);
        Store = new SimStore(Mistake.None);
        Database = new Cores(Scheduler, model.Cores);
        Silos = [.. Enumerable.Range(0, model.Silos).Select(i => new LagSilo(this, i))];
        _services = new LagService[model.Holders];
    }

    public LagModel Model { get; }

    public Scheduler Scheduler { get; }

    public Dice Dice => Scheduler.Dice;

    public SimStore Store { get; }

    public Cores Database { get; }

    public IReadOnlyList<LagSilo> Silos { get; }

    /// <summary>How often a service was told that its incarnation is over.</summary>
    public int Lost { get; set; }

    public DateTimeOffset Wall => SimClock.Start + Scheduler.Now;

    public static LagFigures Run(LagModel model, ulong seed)
    {
        var world = new LagWorld(model, seed);
        world.Plan();
        world.Scheduler.Run(Joined);
        if (world._services.Count(service => service.Holder.IsFresh) < 0.99 * model.Holders)
        {
            throw new InvalidOperationException($"Only {world._services.Count(service => service.Holder.IsFresh)} of {model.Holders} services are fresh after {Joined}.");
        }

        var (database, silos) = (world.Database.Worked, world.SilosWorked);
        world.Scheduler.Run(Joined + TimeSpan.FromSeconds(model.Seconds));
        (database, silos) = (world.Database.Worked - database, world.SilosWorked - silos);
        for (var end = world.Scheduler.Now + Ending; world.Scheduler.Now < end && world._receipts.Count < world._users;)
        {
            world.Scheduler.Run(world.Scheduler.Now + TimeSpan.FromSeconds(0.5));
        }

        if (world._receipts.Count != world._users)
        {
            throw new InvalidOperationException($"{world._users - world._receipts.Count} revocations are not acknowledged.");
        }

        return new LagFigures(
            [.. world._receipts.Select(receipt => receipt.Elapsed.TotalMilliseconds).Order()],
            world._receipts.Count(receipt => receipt.Waited > 0),
            world.Lost,
            silos.TotalSeconds / model.Seconds / (model.Silos * model.Cores),
            database.TotalSeconds / model.Seconds / model.Cores,
            world.Scheduler.Hash);
    }

    private TimeSpan SilosWorked => Silos.Aggregate(TimeSpan.Zero, (sum, silo) => sum + silo.Cores.Worked);

    public SimClock NewClock() => new(Scheduler, settings: null, rate: 1, TimeSpan.Zero, TimeSpan.Zero);

    public TimeSpan Latency(bool isFar = false) => Model.Latency(Dice, isFar);

    private void Plan()
    {
        foreach (var silo in Silos)
        {
            silo.Start();
        }

        for (var i = 0; i < Model.Holders; i++)
        {
            StartService(i, LagModel.Milliseconds(500 + (Dice.Unit() * 3_000)));
        }

        Scheduler.After(Joined, RevokeNext);
    }

    private void StartService(int number, TimeSpan delay)
    {
        var service = _services[number] = new LagService(this, number, isFar: number < Model.Far * Model.Holders);
        Scheduler.After(delay, () =>
        {
            service.Start();
            PauseNowAndThen(service);

            // Most outlive the run; the scheduler knows the next ten days.
            if (Model.CrashEvery > 0 && LagModel.Exponential(Dice, Model.CrashEvery * 86_400) is { TotalHours: < 1 } life)
            {
                Scheduler.After(life, service.Process, () =>
                {
                    service.Process.Kill();
                    service.Link?.Break();
                    StartService(number, TimeSpan.FromSeconds(Model.StartsAgainAfter));
                });
            }
        });
    }

    private void PauseNowAndThen(LagService service)
    {
        if (Model.PauseEvery > 0)
        {
            Scheduler.After(LagModel.Exponential(Dice, Model.PauseEvery), service.Process, () =>
            {
                service.Machine.PausedUntil = Scheduler.Now + LagModel.Exponential(Dice, Model.Pause / 1000);
                PauseNowAndThen(service);
            });
        }
    }

    // At random, as they come.
    private void RevokeNext()
    {
        if (Scheduler.Now >= Joined + TimeSpan.FromSeconds(Model.Seconds))
        {
            return;
        }

        Dice.Pick(Silos).Revoke(new Scope(App, Tenant, $"user{++_users}"), _receipts.Add);
        Scheduler.After(LagModel.Exponential(Dice, 1 / Model.RevocationsPerSecond), RevokeNext);
    }
}

/// <summary>What came of it.</summary>
/// <param name="Milliseconds">From the commit being known to the acknowledgement, ascending.</param>
/// <param name="WaitedOut">Revocations that had to wait until a lease had run out.</param>
/// <param name="Lost">Services that were told that their incarnation is over.</param>
/// <param name="Silos">Share of the silos' cores in use.</param>
/// <param name="Database">Share of the database's cores in use.</param>
/// <param name="Hash">Of everything that happened.</param>
internal sealed record LagFigures(double[] Milliseconds, int WaitedOut, int Lost, double Silos, double Database, ulong Hash)
{
    public double Percentile(double share) => Milliseconds[Math.Clamp((int)Math.Ceiling(share * Milliseconds.Length) - 1, 0, Milliseconds.Length - 1)];
}
