using Grid.Abstractions.Installation;

namespace Grid.Storage.Tests;

/// <summary>Orleans' storage reads a key such as <c>0a1</c> as a number: no two spellings may come to one row.</summary>
public sealed class ExactKeyTests
{
    private static readonly string[] Keys =
    [
        "0", "00", "a1", "A1", "0a1", "00a1", "a1+", "a1+x", "A1+x", "public", "Public", "a1@example.com", "a1/public", "=a1", "==a1", "dead", "dEad", "7fffffffffffffff",
        "0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef", "00000000000000000000000000000001", "0123456789abcdef0123456789abcdef+x", "ffffffffffffffffff",
    ];

    [Fact]
    public void No_two_keys_share_the_columns_of_a_row()
    {
        Assert.Equal(Keys.Length, Keys.Select(ExactKey.ToColumns).Distinct().Count());
        Assert.All(Keys, key => Assert.False(GrainId.Create("any", ExactKey.ToStored(key)).TryGetGuidKey(out _, out _)));
    }

    [Fact]
    public void A_key_is_read_back_from_its_row() => Assert.All(Keys, key =>
    {
        var (text, number) = ExactKey.ToColumns(key);
        Assert.Equal(key, ExactKey.FromColumns(text, number));
    });

    [Fact]
    public void Keys_that_are_no_numbers_and_plain_numbers_are_stored_as_they_always_were() =>
        Assert.All(["0", "a1", "dead", "public", "a1/public", "a1@example.com"], key => Assert.Equal(key, ExactKey.ToStored(key)));
}
