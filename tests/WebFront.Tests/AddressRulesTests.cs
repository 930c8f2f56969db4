using Grid.Abstractions.Apps;
using Grid.WebFront.Core;

namespace Grid.WebFront.Tests;

public sealed class AddressRulesTests
{
    private static readonly AppKey Quiet = new("", "quiet");
    private static readonly AppKey Noisy = new("", "noisy");

    private readonly AddressRules _rules = new();

    [Fact]
    public void The_rules_of_a_thousand_tenants_of_one_app_leave_another_apps_where_they_are()
    {
        Assert.True(_rules.IsMatch(Quiet, Of(0), "10.0.0.0"));
        Assert.True(_rules.IsMatch(null, Of(0), "10.0.0.0"));
        for (var tenant = 0; tenant < 3_000; tenant++)
        {
            Assert.True(_rules.IsMatch(Noisy, Of(tenant), $"10.0.0.{tenant}"));
        }

        Assert.Equal((AddressRules.MaxCompiledOfApp + 2, AddressRules.MaxAnswersOfApp + 2), _rules.Counts);
        Assert.True(_rules.IsCompiled(Quiet, Of(0)));
        Assert.True(_rules.IsCompiled(null, Of(0)));
        Assert.False(_rules.IsCompiled(Noisy, Of(0)));
        Assert.True(_rules.IsCompiled(Noisy, Of(2_999)));
    }

    [Fact]
    public void Many_apps_together_keep_a_bounded_number_and_the_largest_gives_way()
    {
        for (var i = 0; i < AddressRules.MaxAnswersOfApp; i++)
        {
            _rules.IsMatch(Noisy, Of(i % AddressRules.MaxCompiledOfApp), $"10.0.0.{i}");
        }

        for (var i = 0; i < AddressRules.MaxAnswers; i++)
        {
            _rules.IsMatch(new AppKey("", $"a{i % 4_000}"), "10\\..*", $"10.0.0.{i}");
        }

        Assert.Equal((AddressRules.MaxCompiled, AddressRules.MaxAnswers), _rules.Counts);
        Assert.True(_rules.IsCompiled(new AppKey("", "a3999"), "10\\..*"));
    }

    [Fact]
    public void A_rule_that_meets_ever_new_addresses_answers_each_and_stays_one_rule()
    {
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(i % 2 == 0, _rules.IsMatch(Noisy, ".*[02468]", $"10.0.0.{i}"));
            Assert.Equal(i % 2 == 0, _rules.IsMatch(Noisy, ".*[02468]", $"10.0.0.{i}"));
        }

        Assert.Equal((1, 500), _rules.Counts);
    }

    [Fact]
    public void A_pattern_that_is_no_rule_answers_neither_way()
    {
        Assert.Null(_rules.IsMatch(Noisy, "(", "10.0.0.1"));
        Assert.Null(_rules.IsMatch(Noisy, "(", "10.0.0.1"));
    }

    private static string Of(int tenant) => $"10\\.0\\.0\\.{tenant}";
}
