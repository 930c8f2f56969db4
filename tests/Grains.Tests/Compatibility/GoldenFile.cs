using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.Grains.Tests.Compatibility;

/// <summary>What versions of Grid have written of one kind: an entry for each form that it had, the newest last. Entries are never changed.</summary>
/// <param name="name">Alias or name of the format.</param>
internal sealed class GoldenFile(string name)
{
    private const string Switch = "GRID_RECORD_GOLDEN";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string Folder = Path.Combine(FindRoot(), "tests", "Grains.Tests", "Compatibility", "Golden");

    /// <summary>Names of all that are there.</summary>
    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file));

    public static string HowToRecord => $"Record it, and commit the file: {Switch}=1 dotnet run --project tests/Grains.Tests -- -class '*Compatibility*'";

    private string PathOf => Path.Combine(Folder, NameOf(name) + ".json");

    public IReadOnlyList<GoldenEntry> Read() => !File.Exists(PathOf) ? [] :
        [.. JsonNode.Parse(File.ReadAllText(PathOf))!.AsArray().Select(entry => new GoldenEntry(Convert.FromBase64String($"{entry!["bytes"]}"), entry["values"]))];

    /// <summary>Adds today's form if it is asked for and another than the last.</summary>
    /// <returns>All entries, or none if there is nothing yet and nothing was asked for.</returns>
    public IReadOnlyList<GoldenEntry> ReadOrRecord(Func<GoldenEntry> today, Func<GoldenEntry, bool> isNewest)
    {
        var entries = Read();
        if (Environment.GetEnvironmentVariable(Switch) == "1" && (entries.Count == 0 || !isNewest(entries[^1])))
        {
            entries = [.. entries, today()];
            File.WriteAllText(PathOf, new JsonArray([.. entries.Select(entry => new JsonObject { ["bytes"] = Convert.ToBase64String(entry.Bytes), ["values"] = entry.Values?.DeepClone() })]).ToJsonString(Indented) + "\n");
        }

        return entries;
    }

    /// <summary>Of the file: generic types' aliases have a mark that not every system takes.</summary>
    public static string NameOf(string name) => name.Replace('`', '-');

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}

/// <param name="Bytes">As they were written.</param>
/// <param name="Values">What was in them, by the members' names.</param>
internal sealed record GoldenEntry(byte[] Bytes, JsonNode? Values);
