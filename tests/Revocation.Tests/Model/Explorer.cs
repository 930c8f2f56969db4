using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Model;

/// <summary>Goes through all states of a <see cref="World"/>, breadth first, by doing the steps that lead there again.</summary>
internal static class Explorer
{
    /// <returns>How many states there are, and the shortest way to a violation if there is one.</returns>
    public static (int States, int[]? Violation) Explore(Mistake mistake, RevocationKind kind, int holders, int crashes, int lags, int maxDepth = int.MaxValue)
    {
        HashSet<string> seen = [];
        Queue<int[]> frontier = new([[]]);
        seen.Add(At([]).Key());
        while (frontier.TryDequeue(out var path))
        {
            if (path.Length >= maxDepth)
            {
                continue;
            }

            foreach (var step in At(path).Steps().ToArray())
            {
                int[] next = [.. path, step];
                var world = At(next);
                if (world.IsViolated)
                {
                    return (seen.Count, next);
                }

                if (seen.Add(world.Key()))
                {
                    frontier.Enqueue(next);
                }
            }
        }

        return (seen.Count, null);

        World At(int[] steps)
        {
            var world = new World(mistake, kind, holders, crashes, lags);
            foreach (var step in steps)
            {
                world.Do(step);
            }

            return world;
        }
    }
}
