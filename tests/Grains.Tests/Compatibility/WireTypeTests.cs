using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Grid.Grains.Tests.Compatibility;

/// <summary>
/// Silos of two versions talk to each other during an upgrade, and each reads what the other has stored. So this version reads what earlier ones wrote,
/// and passes over what later ones add.
/// </summary>
public sealed class WireTypeTests
{
    // The end of an object, and members that no type has: number, text, object. Ids are counted from the last one.
    private const byte EndOfObject = 0xE0;
    private static readonly byte[][] LaterMembers = [[0x05, 0x03], [0x45, 0x03, (byte)'x'], [0x25, EndOfObject]];

    private static readonly Serializer<object> Serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer<object>>();

    public static TheoryData<string> Aliases => [.. WireTypes.All.Keys.Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Aliases))]
    public void What_was_written_before_is_read_and_written_so_that_it_can_be_read_again(string alias)
    {
        var file = new GoldenFile(alias);
        var sample = WireTypes.Sample(WireTypes.All[alias]);
        var now = WireTypes.Describe(sample);
        var entries = file.ReadOrRecord(() => new GoldenEntry(Write(sample), now), last => JsonNode.DeepEquals(last.Values, now));

        Assert.True(entries.Count > 0, $"What {alias} looks like has not been recorded. {GoldenFile.HowToRecord}");
        foreach (var (bytes, values) in entries)
        {
            var read = Read(bytes);
            AssertHas(values, WireTypes.Describe(read), alias);
            Assert.True(JsonNode.DeepEquals(WireTypes.Describe(read), WireTypes.Describe(Read(Write(read)))), alias);
        }

        Assert.True(
            JsonNode.DeepEquals(entries[^1].Values, now),
            $"{alias} has changed since it was recorded:\n{entries[^1].Values}\nis now\n{now}\nA new member is right, with an [Id] of its own and a default that means 'written by an older version'. {GoldenFile.HowToRecord}");
    }

    [Theory, MemberData(nameof(Aliases))]
    public void Members_that_a_later_version_adds_are_passed_over(string alias)
    {
        var sample = WireTypes.Sample(WireTypes.All[alias]);
        var bytes = Write(sample);
        Assert.Equal(EndOfObject, bytes[^1]);

        foreach (var later in LaterMembers)
        {
            var read = Read([.. bytes[..^1], .. later, EndOfObject]);
            Assert.True(JsonNode.DeepEquals(WireTypes.Describe(sample), WireTypes.Describe(read)), alias);
        }
    }

    [Fact]
    public void What_is_recorded_still_exists()
    {
        // An alias that is gone cannot be read any more: rows and silos of the version before still have it.
        Assert.Empty(GoldenFile.Names.Where(name => name.StartsWith("grid.", StringComparison.Ordinal)).Except(WireTypes.All.Keys.Select(GoldenFile.NameOf)));
    }

    private static void AssertHas(JsonNode? recorded, JsonNode? read, string at)
    {
        if (recorded is JsonObject members)
        {
            foreach (var (name, value) in members)
            {
                Assert.True(read is JsonObject found && found.ContainsKey(name), $"{at}.{name} was recorded, and is not read any more.");
                AssertHas(value, read![name], $"{at}.{name}");
            }
        }
        else if (recorded is JsonArray items)
        {
            Assert.Equal(items.Count, (read as JsonArray)?.Count);
            for (var i = 0; i < items.Count; i++)
            {
                AssertHas(items[i], read![i], $"{at}[{i}]");
            }
        }
        else
        {
            Assert.True(JsonNode.DeepEquals(recorded, read), $"{at} was recorded as {recorded}, and is read as {read}.");
        }
    }

    // As an object: the type's name is in it, as it is where a grain's answer or state names it.
    private static byte[] Write(object value) => Serializer.SerializeToArray(value);

    private static object Read(byte[] bytes) => Serializer.Deserialize(bytes)!;
}
