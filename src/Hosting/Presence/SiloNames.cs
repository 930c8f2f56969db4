namespace Grid.Hosting.Presence;

/// <summary>A silo's name in the cluster's table: the machine's, and the mark by which the others find its session with the database.</summary>
internal static class SiloNames
{
    private const char Separator = '#';

    // The column takes 150.
    private const int LongestMachine = 100;

    public static string With(string machine, string? mark)
    {
        var name = machine.Length > LongestMachine ? machine[..LongestMachine] : machine;
        return mark is null ? name : $"{name}{Separator}{mark}";
    }

    /// <summary>Null if the silo holds no session: an earlier version, or one behind a pooler.</summary>
    public static string? MarkOf(string? name) => name?.LastIndexOf(Separator) is { } at and >= 0 ? name[(at + 1)..] : null;
}
