using Grid.Hosting.Settings;
using Grid.Revocation;
using Grid.Revocation.Registry;
using Grid.Storage;

namespace Grid.Silo.Installation;

/// <summary>Finds living silos, for verbs that work on the store while silos may be running.</summary>
internal static class LiveSilos
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Refuses what must not be done beside a silo. Over a file there is none: whoever has opened it owns it.</summary>
    /// <param name="settings">Those of the start.</param>
    /// <param name="services">With the registry.</param>
    /// <param name="why">What follows on the names of the silos that are alive.</param>
    /// <exception cref="SettingsException">A silo is alive.</exception>
    public static async Task RefuseBesideAsync(GridSettings settings, IServiceProvider services, string why)
    {
        if (settings.Store.Engine == StoreEngine.PostgreSql && await FindAsync(services.GetRequiredService<IHolderRegistry>()) is { Count: > 0 } live)
        {
            throw new SettingsException($"Refused: {string.Join(", ", live.Select(row => $"{row.Name} at {row.Address}"))} {why}");
        }
    }

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
