using System.Buffers.Binary;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>All chance in a simulation: the same seed gives the same throws on every machine (SplitMix64).</summary>
internal sealed class Dice(ulong seed)
{
    // Neighbouring seeds shall have nothing in common.
    private ulong _state = seed * 0x9E3779B97F4A7C15 ^ 0x5851F42D4C957F2D;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private volatile string? _stray;

    /// <summary>Who threw them from another thread.</summary>
    public string? Stray => _stray;

    public ulong Next()
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            _stray ??= Environment.StackTrace;
        }

        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 … 1, without 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    /// <summary>0 … <paramref name="count"/> − 1.</summary>
    public int Below(int count) => (int)(Next() % (ulong)count);

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + TimeSpan.FromTicks((long)((most - least).Ticks * Unit()));

    public TimeSpan Milliseconds(double least, double most) => TimeSpan.FromTicks((long)((least + ((most - least) * Unit())) * TimeSpan.TicksPerMillisecond));

    public Guid Guid()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Next());
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Next());
        return new Guid(bytes);
    }
}
