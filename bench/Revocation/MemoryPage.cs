using System.Globalization;
using System.Text;
using Grid.Bench.Http.Report;

namespace Grid.Bench.Revocation;

/// <summary>Memory of what grows with the number of sessions.</summary>
internal static class MemoryPage
{
    public static async Task WriteAsync(string[] args)
    {
        var invariant = CultureInfo.InvariantCulture;
        var smoke = args.Contains("--smoke");
        var page = new StringBuilder();
        page.AppendLine("# Memory of remembered sessions and active grains").AppendLine();
        page.AppendJoin('\n', Machine.Facts()).AppendLine().AppendLine();
        page.AppendLine("Command: `dotnet run -c Release --project bench/Revocation -- --memory`. Bytes of the heap after a full collection, less those before, by the number.").AppendLine();
        page.AppendLine("## A remembered session").AppendLine();
        page.AppendLine("| holder | sessions | bytes per session |").AppendLine("|---|--:|--:|");
        foreach (var sessions in smoke ? [10_000] : new[] { 100_000, 1_000_000 })
        {
            Line(await RememberedMemory.ServiceAsync(sessions, 10));
            Line(await RememberedMemory.ServiceAsync(sessions, 1));
            Line(await RememberedMemory.SiloAsync(sessions, 10, (40, 64)));
            Line(await RememberedMemory.SiloAsync(sessions, 10, (40, 100)));
            Line(await RememberedMemory.SiloAsync(sessions, 1, (40, 64)));
        }

        page.AppendLine().AppendLine("## An active grain").AppendLine();
        page.AppendLine("One silo in this process over SQLite, its directory included. What is Grid's own is the difference to the first line.").AppendLine();
        page.AppendLine("| grain | active | bytes per grain |").AppendLine("|---|--:|--:|");
        var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
        try
        {
            (await ActiveGrains.RunAsync(smoke ? 1_000 : 20_000, folder)).ForEach(Line);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Console.Write(page);
        if (Array.IndexOf(args, "--output") is var at and >= 0)
        {
            File.WriteAllText(args[at + 1], page.ToString());
        }

        void Line(MemoryFigure figure) => page.AppendLine(invariant, $"| {figure.Name} | {figure.Count:N0} | {figure.Bytes:N0} |");
    }
}
