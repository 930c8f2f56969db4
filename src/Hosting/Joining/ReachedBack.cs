using Grid.Grains.Silos;

namespace Grid.Hosting.Joining;

/// <summary>
/// Whether the others reach this silo, asked of them when it has joined and before its doors open: Orleans lets in whoever opens connections itself, and
/// such a silo loses its place whenever these break.
/// </summary>
/// <remarks>Only silos that say that they do not, all of those that say anything and each time that they are asked, keep it out.</remarks>
internal sealed partial class ReachedBack(SiloReach reach, IClusterMembershipService membership, ILocalSiloDetails here, ILogger<ReachedBack> logger) : IHostedService
{
    private const int Attempts = 3;
    private const int MaxAsked = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var peers = membership.CurrentSnapshot.Members.Values.Where(silo => silo.Status == SiloStatus.Active && !silo.SiloAddress.Equals(here.SiloAddress)).Take(MaxAsked);
            var answers = await Task.WhenAll(peers.Select(async peer => (Peer: peer.SiloAddress, Why: await reach.AskAsync(peer.SiloAddress, cancellationToken))));
            var refusals = answers.Where(answer => answer.Why is { Length: > 0 }).ToList();
            if (refusals.Count == 0)
            {
                return;
            }

            var (witness, why) = refusals[0];
            if (answers.Any(answer => answer.Why is ""))
            {
                Log.NotReachedByAll(logger, here.SiloAddress.Endpoint, refusals.Count, witness.Endpoint, why!);
                return;
            }

            if (attempt == Attempts)
            {
                throw new ClusterStartException(
                    $"The other silos do not reach this one at {here.SiloAddress.Endpoint} (from {witness.Endpoint}: {why}). Open Grid:Cluster:SiloPort, {here.SiloAddress.Endpoint.Port}, to their machines, or set Grid:Cluster:Address to an address of this machine that they reach.");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1054, LogLevel.Warning, "{Count} of the silos asked do not reach this one at {Address} (from {Peer}: {Why}), and others do: open Grid:Cluster:SiloPort between all of the silos' machines")]
        public static partial void NotReachedByAll(ILogger logger, System.Net.IPEndPoint address, int count, System.Net.IPEndPoint peer, string why);
    }
}
