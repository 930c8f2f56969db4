namespace Grid.Revocation.Tests.Simulation;

/// <summary>One life of a process. All its awaits come back through here, so that it can be stopped, and ended, between any two of them.</summary>
internal sealed class SimProcess(Scheduler scheduler, Machine machine) : SynchronizationContext
{
    private static readonly TimeSpan Soon = TimeSpan.FromMicroseconds(20);

    public Machine Machine { get; } = machine;

    public Scheduler Scheduler { get; } = scheduler;

    public bool IsDead { get; private set; }

    /// <summary>kill -9.</summary>
    public void Kill() => IsDead = true;

    public void Run(Action action) => Scheduler.After(TimeSpan.Zero, this, action);

    /// <summary>What nobody waits for may not fail.</summary>
    public static async void Observe(Task task) => await task;

    /// <summary>What is ready at the same time runs in any order, as on a thread pool.</summary>
    public override void Post(SendOrPostCallback d, object? state) => Scheduler.After(Soon * Scheduler.Dice.Unit(), this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing blocks here.");

    public override SynchronizationContext CreateCopy() => this;
}
