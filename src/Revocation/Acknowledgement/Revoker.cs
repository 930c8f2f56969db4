using System.Collections.Immutable;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Acknowledgement;

/// <summary>Makes sure that a committed revocation is known everywhere before it is acknowledged (r2–r5).</summary>
/// <remarks>Keeps no state that has to survive a crash: a repeated call goes through the same steps. Never await it inside a grain call (r6).</remarks>
internal sealed class Revoker(IHolderRegistry registry, IHolderTransport transport, LeaseTerms own, Predicate<HolderRow> counts, TimeProvider clock)
{
    // How often a silent holder is asked again, and the registry read again.
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(500);

    /// <summary>As the other overload, for entries that have just been committed. Without entries nobody is asked.</summary>
    public Task<RevocationReceipt> ConfirmAsync(ImmutableArray<RevocationEntry> entries, CancellationToken cancellationToken) =>
        entries.IsDefaultOrEmpty ? Task.FromResult(RevocationReceipt.None) : ConfirmAsync(entries, clock.GetTimestamp(), cancellationToken);

    /// <summary>Returns when no request that starts from now on is accepted for what the entries end, by any holder that counts.</summary>
    /// <param name="entries">Of one app, committed, at least one; or of a session that was not there, which may repeat a revocation that was never acknowledged (r5).</param>
    /// <param name="committedAt">When the commit was known, by this clock.</param>
    /// <param name="cancellationToken">Gives up; nothing is acknowledged then.</param>
    public async Task<RevocationReceipt> ConfirmAsync(IReadOnlyList<RevocationEntry> entries, long committedAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var app = entries[0].App;
        if (entries.Any(entry => entry.App != app))
        {
            throw new ArgumentException("Entries of one app are confirmed together.", nameof(entries));
        }

        var wait = new ConfirmationWait(committedAt, own, counts, clock);
        Dictionary<string, Task<IReadOnlyCollection<Guid>>> pushes = new(StringComparer.Ordinal);
        HashSet<string> tried = new(StringComparer.Ordinal);
        Task<IReadOnlyList<HolderRow>?>? listing = null;
        var round = Task.CompletedTask;
        while (true)
        {
            if (round.IsCompleted)
            {
                tried.Clear();
                round = RestAsync(wait.Left, cancellationToken);
                listing ??= ListAsync(app, cancellationToken);
            }

            if (listing is { IsCompleted: true })
            {
                if (await listing is { } rows)
                {
                    wait.TakeListing(rows);
                }

                listing = null;
            }

            foreach (var address in wait.Addresses.Where(address => !pushes.ContainsKey(address) && !tried.Contains(address)))
            {
                pushes.Add(address, PushAsync(address, entries, cancellationToken));
            }

            // Holders that did not confirm are asked again in the next round.
            foreach (var (address, push) in pushes.Where(push => push.Value.IsCompleted).ToList())
            {
                wait.TakeConfirmations(address, await push);
                pushes.Remove(address);
                tried.Add(address);
            }

            if (wait.IsOver)
            {
                break;
            }

            // Including what has completed since the checks above.
            Task[] pending = listing is null ? [round] : [round, listing];
            await Task.WhenAny([.. pending, .. pushes.Values]);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return new RevocationReceipt(
            entries.Max(entry => entry.Position), clock.GetElapsedTime(committedAt), wait.Confirmed, wait.Missing, wait.Excluded);
    }

    // Timers count whole milliseconds: a fraction of one would not wait at all, and a negative time for ever.
    private async Task RestAsync(TimeSpan left, CancellationToken cancellationToken) => await Task.Delay(
        left < Round ? TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(left.TotalMilliseconds))) : Round, clock, cancellationToken);

    // The store became unavailable after the commit: it is asked again until all leases have run out.
    private async Task<IReadOnlyList<HolderRow>?> ListAsync(string app, CancellationToken cancellationToken)
    {
        try
        {
            return await registry.ListServingAsync(app, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
    {
        try
        {
            return await transport.PushAsync(address, entries, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return [];
        }
    }
}
