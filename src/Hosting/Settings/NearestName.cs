namespace Grid.Hosting.Settings;

/// <summary>Suggests the known name closest to a misspelt one.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the fewest letters changed, of the whole name or of its last part.</summary>
    public static string Of(string name, IEnumerable<string> candidates)
    {
        var wanted = name.ToUpperInvariant();
        return candidates.MinBy(candidate =>
        {
            var text = candidate.ToUpperInvariant();
            return wanted.Contains(':', StringComparison.Ordinal)
                ? Distance(text, wanted)
                : Math.Min(Distance(text, wanted), Distance(text[(text.LastIndexOf(':') + 1)..], wanted));
        })!;
    }

    private static int Distance(string left, string right)
    {
        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var current = new int[right.Length + 1];
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
            }

            previous = current;
        }

        return previous[right.Length];
    }
}
