using System.Text.RegularExpressions;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Core;

/// <summary>Evaluates address rules, and caches their answers and a few compiled rules.</summary>
/// <remarks>
/// A rule written to be large takes a megabyte when compiled, and grows with each address that it is tested against (<c>.*1.{39}</c>: 50 kB each); an
/// answer takes a few hundred bytes. So answers are cached, and compiled rules only while new addresses keep arriving. An app can have as many rules
/// as it has tenants: each app has a share of both caches, and beyond it evicts its own entries.
/// </remarks>
internal sealed class AddressRules
{
    /// <summary>Maximum of compiled rules, per app and in total.</summary>
    internal const int MaxCompiledOfApp = 8;
    internal const int MaxCompiled = 64;

    /// <summary>Maximum of cached answers, per app and in total.</summary>
    internal const int MaxAnswersOfApp = 2_000;
    internal const int MaxAnswers = 20_000;

    // New addresses after which a rule is compiled again: its automaton grows with each.
    private const int MaxMet = 16;

    private readonly SharedCache<(string Pattern, string Address), bool?> _answers = new(MaxAnswersOfApp, MaxAnswers);
    private readonly SharedCache<string, Compiled> _compiled = new(MaxCompiledOfApp, MaxCompiled);

    /// <summary>Number of compiled rules and answers in the cache, of all apps.</summary>
    internal (int Compiled, int Answers) Counts => (_compiled.Count, _answers.Count);

    /// <summary>Whether a rule matches an address as <see cref="AddressRule.Spell"/> writes it.</summary>
    /// <param name="app">The app whose share of the cache is used; null for the installation's rules.</param>
    /// <param name="pattern">Of the rule.</param>
    /// <param name="address">Of the caller.</param>
    /// <returns>Null if the pattern is not a valid rule.</returns>
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

    /// <summary>Whether a compiled rule is in the cache.</summary>
    internal bool IsCompiled(AppKey? app, string pattern) => _compiled.TryGet(app, pattern, out _);

    private sealed class Compiled(Regex? rule)
    {
        private int _met = 1;

        public Regex? Rule { get; } = rule;

        public int Met() => Interlocked.Increment(ref _met);
    }
}
