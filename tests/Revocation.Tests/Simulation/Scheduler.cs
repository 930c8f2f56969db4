namespace Grid.Revocation.Tests.Simulation;

/// <summary>Virtual time and everything that is going to happen in it, one step after the other on one thread.</summary>
/// <param name="seed">Decides everything.</param>
/// <param name="isVerbose">Whether the story is kept.</param>
/// <param name="maxSteps">A world takes some ten thousand; a loop that never rests takes more.</param>
internal sealed class Scheduler(ulong seed, bool isVerbose, int maxSteps = 1_000_000)
{
    // Steps that are due at the same instant come in an order that the seed decides.
    private const int TieBits = 20;

    private readonly PriorityQueue<Step, long> _steps = new();
    private readonly List<string>? _lines = isVerbose ? [] : null;

    public Dice Dice { get; } = new(seed);

    /// <summary>Real time, which no process sees. No two steps have the same.</summary>
    public TimeSpan Now { get; private set; }

    public int Steps { get; private set; }

    /// <summary>Tells two runs apart.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    public IReadOnlyList<string> Lines => _lines ?? [];

    public bool IsVerbose => _lines is not null;

    /// <summary>Something happens outside of all processes: in the store, on the network.</summary>
    public void After(TimeSpan delay, Action action) => Add(delay, new Step(null, static action => ((Action)action!)(), action));

    /// <summary>Something happens in a process, unless it is dead by then; if it is paused, when it goes on.</summary>
    public void After(TimeSpan delay, SimProcess process, Action action) => Add(delay, new Step(process, static action => ((Action)action!)(), action));

    public void After(TimeSpan delay, SimProcess process, SendOrPostCallback callback, object? state) => Add(delay, new Step(process, callback, state));

    public void Run(TimeSpan until)
    {
        var before = SynchronizationContext.Current;
        try
        {
            while (_steps.TryPeek(out _, out var due) && due >> TieBits <= until.Ticks)
            {
                Do(_steps.Dequeue(), TimeSpan.FromTicks(due >> TieBits));
            }

            Now = until > Now ? until : Now;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>Everything stands still in the middle of a step.</summary>
    public void Stall() => Now += Dice.Chance(0.9) ? Dice.Milliseconds(0, 5) : Dice.Milliseconds(5, 3_000);

    public void Note(string line) => _lines?.Add($"{Now.TotalSeconds,11:F7} {line}");

    public void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211;

    private void Add(TimeSpan delay, Step step)
    {
        _steps.Enqueue(step, ((Now + delay).Ticks << TieBits) | (long)(Dice.Next() & ((1 << TieBits) - 1)));
    }

    private void Do(Step step, TimeSpan due)
    {
        if (step.Process is { IsDead: true })
        {
            return;
        }

        Now = due > Now ? due : Now + TimeSpan.FromTicks(1);
        if (step.Process is { Machine.PausedUntil: var end } && end > Now)
        {
            Add(end - Now + Dice.Milliseconds(0, 1), step);
            return;
        }

        if (++Steps > maxSteps)
        {
            throw new InvalidOperationException("Something goes round without rest.");
        }

        if (Dice.Stray is { } stray)
        {
            throw new InvalidOperationException($"Something ran on the thread pool, where the seed decides nothing: {stray}");
        }

        Mix((ulong)Now.Ticks);
        step.Process?.Machine.Clock.StepBegins();
        SynchronizationContext.SetSynchronizationContext(step.Process);
        step.Callback(step.State);
    }

    private readonly record struct Step(SimProcess? Process, SendOrPostCallback Callback, object? State);
}
