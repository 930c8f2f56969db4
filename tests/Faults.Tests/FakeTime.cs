namespace Grid.Faults.Tests;

/// <summary>Gives a process a wall clock of its own (libfaketime). Its monotonic one stays the machine's.</summary>
internal static class FakeTime
{
    private static readonly string[] Machines = ["x86_64-linux-gnu", "aarch64-linux-gnu"];

    private static string? Library { get; } =
        Machines.SelectMany(machine => new[] { $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1", $"/usr/lib/{machine}/faketime/libfaketime.so.1" }).FirstOrDefault(File.Exists);

    /// <summary>What this machine lacks for it; null: nothing.</summary>
    public static string? Missing => Library is null ? "no faketime on this machine; ./test installs it where it may" : null;

    /// <summary>Environment of a process whose clock is ahead from its start on.</summary>
    public static (string Name, string Value)[] Ahead(TimeSpan time) => [.. Common, ("FAKETIME", Offset(time))];

    /// <summary>Environment of a process whose clock is as a file says (<see cref="Step"/>), which it reads each time.</summary>
    public static (string Name, string Value)[] By(string file) => [.. Common, ("FAKETIME_TIMESTAMP_FILE", file), ("FAKETIME_NO_CACHE", "1")];

    /// <summary>Steps the clocks that are read from this file to so much ahead of the machine's, or behind it.</summary>
    public static void Step(string file, TimeSpan ahead)
    {
        // By a name of its own first: nobody reads half of it.
        File.WriteAllText($"{file}.new", Offset(ahead) + "\n");
        File.Move($"{file}.new", file, overwrite: true);
    }

    private static (string Name, string Value)[] Common => [("LD_PRELOAD", Library!), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_FORCE_MONOTONIC_FIX", "0")];

    private static string Offset(TimeSpan time) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{time.TotalSeconds:+0.000;-0.000;+0}s");
}
