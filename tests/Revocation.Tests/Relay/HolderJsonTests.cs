using System.Text;
using System.Text.Json;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay.Wire;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Relay;

/// <summary>What a message may look like, and what is left of one that does not.</summary>
public sealed class HolderJsonTests
{
    [Theory]
    [InlineData("""{"type":"look","n":7,"tenant":"a\ud800b"}""", "look", 7)]
    [InlineData("""{"type":"look","n":7,"session":"nonsense"}""", "look", 7)]
    [InlineData("""{"type":"look","n":7,"tenant":[1]}""", "look", 7)]
    [InlineData("""{"type":"look","tenant":"a","tenant":"b","n":7}""", "look", 7)]
    [InlineData("""{"type":"renew","n":1e99}""", "renew", 0)]
    [InlineData("""{"type":"renew","n":"7"}""", "renew", 0)]
    [InlineData("""{"type":"\ud800","n":7}""", "", 7)]
    public void A_message_with_members_that_do_not_fit_keeps_its_type_and_number(string json, string type, long n)
    {
        var message = HolderJson.Read(Encoding.UTF8.GetBytes(json));

        Assert.Equal((type, n, true), (message.Type, message.N, message.IsMalformed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"type":7}""")]
    [InlineData("""{"n":1}""")]
    public void What_is_no_message_is_refused(string json) =>
        Assert.ThrowsAny<JsonException>(() => HolderJson.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void What_another_side_claims_of_a_message_is_not_believed() =>
        Assert.False(HolderJson.Read("""{"type":"leave","isMalformed":true}"""u8).IsMalformed);

    [Fact]
    public void Entries_arrive_as_they_were()
    {
        var entries = new[] { Session(Name()), User(3, kept: Name(2)), Tenant(), App(), Key("d-1") };

        var json = JsonSerializer.SerializeToUtf8Bytes(
            new HolderMessage { Type = HolderMessageType.Entries, Entries = [.. entries.Select(HolderEntry.Of)] }, HolderJson.Default.HolderMessage);

        Assert.Equal(entries, HolderJson.Read(json).Entries!.Select(entry => entry.ToEntry()));
    }

    [Theory]
    [InlineData("billing on host-1 ü 用户", "billing on host-1 ü 用户")]
    [InlineData("a\nb\r\tc\u001b[0m", @"a\u000ab\u000d\u0009c\u001b[0m")]
    [InlineData("a\u202eb\u2028c\u0085", @"a\u202eb\u2028c\u0085")]
    public void A_name_is_printed_as_data(string name, string printed) => Assert.Equal(printed, Printable.Of(name));

    [Fact]
    public void A_long_name_is_cut_at_whole_characters()
    {
        Assert.Equal(new string('x', 100) + "…", Printable.Of(new string('x', 5_000)));
        Assert.InRange(Printable.Of(string.Concat(Enumerable.Repeat("\n", 5_000))).Length, 100, 110);
        Assert.DoesNotContain('\ud83d', Printable.Of(new string('x', 99) + "😀😀")[^1..]);
    }
}
