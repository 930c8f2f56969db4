using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Registry;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("", "")]
    [InlineData("ü 用户 😀", "ü 用户 😀")]
    [InlineData("a\r\nwarn: forged", "a\\u000d\\u000awarn: forged")]
    [InlineData("\u001b[31mred", "\\u001b[31mred")]
    [InlineData("a\u202eb\u2028c", "a\\u202eb\\u2028c")]
    [InlineData("a\\u000a", "a\\u005cu000a")]
    public void What_others_chose_stays_on_its_line_and_does_nothing(string text, string expected) => Assert.Equal(expected, Printable.Of(text));

    [Fact]
    public void Halves_of_pairs_are_replaced_and_long_texts_are_cut()
    {
        Assert.Equal("a\ufffd", Printable.Of("a" + (char)0xD800));
        Assert.Equal(new string('x', 100), Printable.Of(new string('x', 100)));
        Assert.Equal(new string('x', 100) + "…", Printable.Of(new string('x', 101)));
    }
}
