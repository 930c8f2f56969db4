using System.Runtime.CompilerServices;
using System.Text;

namespace Grid.Revocation.Tests.Vectors;

/// <summary>
/// What holders in other languages are tested with says what these classes do. If a rule was changed on purpose, <c>GRID_WRITE_VECTORS=1</c> writes the file anew, and
/// the others have to follow: <c>clients/node</c>.
/// </summary>
public sealed class HolderVectorTests
{
    [Fact]
    public void Vectors_for_other_languages_say_what_the_classes_do()
    {
        var recorded = string.Concat(VectorSchedules.Everything().Select(schedule => schedule + "\n"));
        var file = Path.Combine(Path.GetDirectoryName(SourceOf())!, "..", "..", "..", "clients", "node", "test", "vectors", "holder.jsonl");
        if (Environment.GetEnvironmentVariable("GRID_WRITE_VECTORS") == "1")
        {
            File.WriteAllBytes(file, Encoding.UTF8.GetBytes(recorded));
        }

        Assert.Equal(File.ReadAllText(file).Split('\n'), recorded.Split('\n'));
    }

    [Fact]
    public void Vectors_meet_every_outcome_often()
    {
        var recorded = string.Concat(VectorSchedules.Everything());

        Assert.All(
            (string[])["\"outcome\":\"known\"", "\"outcome\":\"notThere\"", "\"outcome\":\"void\"", "\"applied\":false", "\"started\":false", "\"fresh\":true", "\"fresh\":false", "\"suspected\":1"],
            outcome => Assert.True(recorded.Split(outcome).Length > 20, outcome));
    }

    private static string SourceOf([CallerFilePath] string path = "") => path;
}
