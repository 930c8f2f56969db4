using System.Text.Json;
using Grid.AspNetCore.Claims;

namespace Grid.AspNetCore.Tests;

/// <summary>What each validator requires, and the reason that the browser gets otherwise.</summary>
public sealed class ClaimTests
{
    private static readonly PrimitiveArrayClaim<string> Roles = new("roles");
    private static readonly BooleanClaim Suspended = new("suspended");

    public static TheoryData<string, ClaimValidator, string, string?> Cases => new()
    {
        { "includes", Roles.Includes("a"), """["a","b"]""", null },
        { "does not include", Roles.Includes("c"), """["a","b"]""", """{"message":"wrong value","expectedToInclude":"c","actualValue":["a","b"]}""" },
        { "excludes", Roles.Excludes("c"), """["a","b"]""", null },
        { "does not exclude", Roles.Excludes("a"), """["a","b"]""", """{"message":"wrong value","expectedToNotInclude":"a","actualValue":["a","b"]}""" },
        { "includes all", Roles.IncludesAll(["a", "b"]), """["b","a","c"]""", null },
        { "does not include all", Roles.IncludesAll(["a", "c"]), """["a","b"]""", """{"message":"wrong value","expectedToInclude":["a","c"],"actualValue":["a","b"]}""" },
        { "includes any", Roles.IncludesAny(["c", "b"]), """["a","b"]""", null },
        { "includes none", Roles.IncludesAny(["c", "d"]), """["a","b"]""", """{"message":"wrong value","expectedToIncludeAtLeastOneOf":["c","d"],"actualValue":["a","b"]}""" },
        { "excludes all", Roles.ExcludesAll(["c", "d"]), """["a","b"]""", null },
        { "does not exclude all", Roles.ExcludesAll(["c", "b"]), """["a","b"]""", """{"message":"wrong value","expectedToNotInclude":["c","b"],"actualValue":["a","b"]}""" },
        { "nothing is included in what is no list", Roles.Includes("a"), "\"a\"", """{"message":"wrong value","expectedToInclude":"a","actualValue":"a"}""" },
        { "is false", Suspended.IsFalse(), "false", null },
        { "is not false", Suspended.IsFalse(), "true", """{"message":"wrong value","expectedValue":false,"actualValue":true}""" },
    };

    [Theory, MemberData(nameof(Cases))]
    public void A_value_passes_or_the_reason_says_why_not(string name, ClaimValidator validator, string value, string? reason)
    {
        var payload = JsonElement.Parse("{\"" + validator.Id + "\":{\"v\":" + value + ",\"t\":1}}");

        var problem = validator.Validate(payload, DateTimeOffset.UnixEpoch);

        Assert.Equal((name, reason, reason is null ? null : validator.Id), (name, problem?.Reason.ToJsonString(), problem?.Id));
    }

    [Fact]
    public void A_claim_that_is_missing_satisfies_nothing_not_even_an_exclusion()
    {
        foreach (var validator in (ClaimValidator[])[Roles.Includes("a"), Roles.Excludes("a"), Roles.IncludesAll([]), Roles.IncludesAny(["a"]), Roles.ExcludesAll(["a"]), Suspended.IsFalse()])
        {
            Assert.Equal("value does not exist", (string?)validator.Validate(JsonElement.Parse("{}"), DateTimeOffset.UnixEpoch)!.Reason["message"]);
        }
    }

    [Fact]
    public void A_value_may_be_too_old()
    {
        var payload = JsonElement.Parse("""{"roles":{"v":["a"],"t":0}}""");
        var validator = Roles.Excludes("b", maxAge: TimeSpan.FromSeconds(10));

        Assert.Null(validator.Validate(payload, DateTimeOffset.UnixEpoch.AddSeconds(10)));
        Assert.Equal(
            """{"message":"expired","ageInSeconds":11,"maxAgeInSeconds":10}""", validator.Validate(payload, DateTimeOffset.UnixEpoch.AddSeconds(11))!.Reason.ToJsonString());
    }
}
