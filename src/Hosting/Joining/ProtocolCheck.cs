using Grid.Abstractions;
using Grid.Revocation;
using Grid.Revocation.Registry;
using Grid.Storage;

namespace Grid.Hosting.Joining;

/// <summary>Whether the silos that are at work follow rules of revocation that this one can work with, asked before it joins.</summary>
internal static class ProtocolCheck
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <param name="registry">It also has silos that have ended, until the others have waited for their leases: only one that goes on renewing keeps this one out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClusterStartException">They do not.</exception>
    /// <exception cref="StoreStartException">The store does not answer.</exception>
    public static async Task RunAsync(IHolderRegistry registry, CancellationToken cancellationToken)
    {
        try
        {
            var clock = LeaseClock.Instance;
            var since = clock.GetTimestamp();
            var first = await StrangersAsync(registry, cancellationToken);
            for (var now = first; now.Any(row => clock.GetElapsedTime(since) < row.Lease); now = await StrangersAsync(registry, cancellationToken))
            {
                if (now.FirstOrDefault(row => first.All(before => before.Incarnation != row.Incarnation || before.Counter != row.Counter)) is { } stranger)
                {
                    throw Refusal(stranger);
                }

                await Task.Delay(Pause, clock, cancellationToken);
            }
        }
        catch (StoreUnavailableException failure)
        {
            throw StoreStartException.StoppedAnswering(failure);
        }
    }

    private static async Task<IReadOnlyList<HolderRow>> StrangersAsync(IHolderRegistry registry, CancellationToken cancellationToken) =>
        [.. (await registry.ListAsync(cancellationToken)).Where(row => row.Kind == HolderKind.Silo && !HolderProtocol.WorksWith(row.Protocol))];

    private static ClusterStartException Refusal(HolderRow row) => new(
        $"The silo at {row.Address} (on {row.PrintableName}) follows version {row.Protocol} of the revocation protocol, and this version of Grid works with {HolderProtocol.Oldest} to {HolderProtocol.Newest} only. {(row.Protocol > HolderProtocol.Current ? "Start a later version of Grid here" : "Upgrade that silo before, or stop it")}: versions may differ by one.");
}
