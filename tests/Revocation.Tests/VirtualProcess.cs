using Grid.Revocation.Registry;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Revocation.Tests;

/// <summary>One process of the simulator, without its troubles: code that waits runs in virtual time, on the test's own thread.</summary>
internal sealed class VirtualProcess
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly Scheduler _scheduler = new(seed: 1, isVerbose: false);
    private readonly SimProcess _process;

    public VirtualProcess()
    {
        Clock = new SimClock(_scheduler, settings: null, rate: 1, TimeSpan.Zero, TimeSpan.Zero);
        _process = new SimProcess(_scheduler, new Machine(HolderKind.Silo, 0, Clock, LeaseTerms.Standard));
    }

    public SimClock Clock { get; }

    /// <summary>Starts something and lets it go as far as it comes at once.</summary>
    public T Run<T>(Func<T> start)
    {
        T? started = default;
        _process.Run(() => started = start());
        Settle();
        return started!;
    }

    public void Run(Action action)
    {
        _process.Run(action);
        Settle();
    }

    public void Pass(TimeSpan time) => _scheduler.Run(_scheduler.Now + time);

    /// <summary>A millisecond: what can go on does.</summary>
    public void Settle() => Pass(Moment);
}
