using Grid.Revocation;
using Grid.Revocation.Registry;

namespace Grid.Silo.Installation;

/// <summary>Finds living silos, for verbs that work on the store while silos may be running.</summary>
internal static class LiveSilos
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Silos that renew. One that has not renewed for as long as a revocation would wait for it is considered gone.</summary>
    public static async Task<IReadOnlyList<HolderRow>> FindAsync(IHolderRegistry registry)
    {
        var clock = LeaseClock.Instance;
        var first = await SilosAsync(registry);
        Dictionary<Guid, HolderRow> live = [];
        var since = clock.GetTimestamp();
        while (true)
        {
            var waiting = first.Where(row => !live.ContainsKey(row.Incarnation) && clock.GetElapsedTime(since) < new LeaseTerms(row.Lease).Wait).ToList();
            if (waiting.Count == 0)
            {
                return [.. live.Values];
            }

            await Task.Delay(Pause, clock);
            foreach (var row in await SilosAsync(registry))
            {
                if (first.FirstOrDefault(before => before.Incarnation == row.Incarnation) is not { } seen || seen.Counter != row.Counter)
                {
                    live[row.Incarnation] = row;
                }
            }

            // Rows that were left belong to no living silo.
            var rows = await SilosAsync(registry);
            first = [.. first.Where(before => rows.Any(row => row.Incarnation == before.Incarnation))];
        }
    }

    private static async Task<IReadOnlyList<HolderRow>> SilosAsync(IHolderRegistry registry) =>
        [.. (await registry.ListAsync(CancellationToken.None)).Where(row => row.Kind == HolderKind.Silo)];
}
