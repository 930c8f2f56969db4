using System.Text.RegularExpressions;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Core;

/// <summary>What address rules said of which address, and a few of them compiled.</summary>
/// <remarks>
/// A rule that somebody wrote to be large takes a megabyte compiled, and more with each address that it meets (<c>.*1.{39}</c>: 50 kB each); an
/// answer takes some hundred bytes. So answers are kept, and compiled rules only as long as addresses that they have not met come in a row. Whoever
/// holds a key of one app can have as many rules as it has tenants: each app has a share of both, and beyond it loses its own.
/// </remarks>
internal sealed class AddressRules
{
    /// <summary>Compiled rules of one app, and of all.</summary>
    internal const int MaxCompiledOfApp = 8;
    internal const int MaxCompiled = 64;

    /// <summary>Answers of one app, and of all.</summary>
    internal const int MaxAnswersOfApp = 2_000;
    internal const int MaxAnswers = 20_000;

    // New addresses that a compiled rule meets before it is made anew: its automaton grows with them.
    private const int MaxMet = 16;

    private readonly SharedCache<(string Pattern, string Address), bool?> _answers = new(MaxAnswersOfApp, MaxAnswers);
    private readonly SharedCache<string, Compiled> _compiled = new(MaxCompiledOfApp, MaxCompiled);

    /// <summary>How many compiled rules and answers are kept, of everybody.</summary>
    internal (int Compiled, int Answers) Counts => (_compiled.Count, _answers.Count);

    /// <summary>Whether a rule matches an address as <see cref="AddressRule.Spell"/> writes it.</summary>
    /// <param name="app">Whose share the rule takes; null for the installation's.</param>
    /// <param name="pattern">Of the rule.</param>
    /// <param name="address">Of the caller.</param>
    /// <returns>Null if the pattern is no rule.</returns>
    public bool? IsMatch(AppKey? app, string pattern, string address)
    {
        if (_answers.TryGet(app, (pattern, address), out var known))
        {
            return known;
        }

        if (!_compiled.TryGet(app, pattern, out var rule) || rule.Met() > MaxMet)
        {
            rule = new Compiled(AddressRule.TryCreate(pattern));
            _compiled.Set(app, pattern, rule);
        }

        var answer = rule.Rule?.IsMatch(address);
        _answers.Set(app, (pattern, address), answer);
        return answer;
    }

    /// <summary>Whether an app's rule is kept compiled, and so costs the next new address nothing.</summary>
    internal bool IsCompiled(AppKey? app, string pattern) => _compiled.TryGet(app, pattern, out _);

    private sealed class Compiled(Regex? rule)
    {
        private int _met = 1;

        public Regex? Rule { get; } = rule;

        public int Met() => Interlocked.Increment(ref _met);
    }
}
