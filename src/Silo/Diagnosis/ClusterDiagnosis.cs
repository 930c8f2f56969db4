using System.Net;
using System.Net.Sockets;
using Grid.Abstractions;
using Grid.Grains.Silos;
using Grid.Hosting.Settings;
using Grid.Revocation;
using Grid.Revocation.Registry;
using Grid.Storage;

namespace Grid.Silo.Diagnosis;

/// <summary>Who is in the cluster: whether its silos can be reached from here, and whether everybody for whom revocations wait renews.</summary>
/// <param name="settings">Of this machine's silo.</param>
/// <param name="services">With the store.</param>
/// <param name="room">For connections, if it is known.</param>
internal sealed class ClusterDiagnosis(GridSettings settings, IServiceProvider services, StoreRoom? room)
{
    private const string Holders = "holders";
    private const string Ports = "silo ports";
    private const string Store = "store";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PatienceForPort = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<Finding>> ExamineAsync(CancellationToken cancellationToken)
    {
        if (settings.Store.Engine != StoreEngine.PostgreSql)
        {
            // The file is this process's own by now.
            return [Finding.Ok(Ports, "A silo over SQLite is alone.")];
        }

        try
        {
            var (alive, silent) = await ObserveAsync(cancellationToken);
            List<Finding> findings = [OfHolders(alive)];
            findings.AddRange(silent.Select(row => Finding.Warning(
                Holders,
                $"{row.Kind} {row.PrintableName} at {row.Address} has not renewed for its lease of {row.Lease.TotalSeconds:0.#} s, and revocations{(row.App is null ? "" : $" in the app {row.App}")} wait for it up to {new LeaseTerms(row.Lease).Wait.TotalSeconds:0.##} s. If the process is gone, nothing has to be done: {(alive.Any(IsSilo) ? "a silo removes" : "the next silo that starts removes")} its row. If it is there, it hangs or cannot write to the database: look at its log, and restart it.")));
            if (room is not null)
            {
                // A silo that starts counts, too: this machine's may be one that does not run.
                findings.Add(OfConnections(room, Math.Max(1, alive.Concat(silent).Count(IsSilo))));
            }

            findings.AddRange(await OfPortsAsync([.. alive.Where(IsSilo)], cancellationToken));
            return findings;
        }
        catch (StoreUnavailableException failure)
        {
            return [Finding.Problem(Store, $"It stopped answering: {failure.InnerException?.Message ?? failure.Message}")];
        }
    }

    private static bool IsSilo(HolderRow row) => row.Kind == HolderKind.Silo;

    private static Finding OfHolders(IReadOnlyList<HolderRow> alive)
    {
        // Versions side by side are what a rolling upgrade looks like; for longer it is a silo that was forgotten.
        var others = alive.Where(row => IsSilo(row) && row.Protocol != HolderProtocol.Current).ToList();
        var names = string.Join(", ", others.Select(row => $"{row.PrintableName} at {row.Address} (protocol {row.Protocol})"));
        return others.Any(row => !HolderProtocol.WorksWith(row.Protocol))
                ? Finding.Problem(Holders, $"{names} run a version with which this one (protocol {HolderProtocol.Current}) does not work: versions that work together have {HolderProtocol.Oldest} to {HolderProtocol.Newest}. Stop whichever is older, and upgrade it by one version at a time.")
            : others.Count > 0 ? Finding.Warning(Holders, $"{names} run another version than this one (protocol {HolderProtocol.Current}): finish the upgrade.")
            : Finding.Ok(Holders, $"Silos that renew their leases: {alive.Count(IsSilo)}; services: {alive.Count(row => !IsSilo(row))}.");
    }

    private Finding OfConnections(StoreRoom room, int silos)
    {
        const string check = "connections";
        var needed = silos * settings.Store.MaxConnections;
        var sum = $"{silos} silos with {settings.Store.MaxConnections} connections each (Grid:Store:MaxConnections) need {needed}, and PostgreSQL has {room.Connections} (by {room.Limit})";
        return needed > room.Connections
            ? Finding.Warning(check, $"{sum}: beyond those, requests are answered 503. Raise that limit, lower Grid:Store:MaxConnections in every silo, or put PgBouncer in between.")
            : Finding.Ok(check, $"{sum}{(needed + settings.Store.MaxConnections > room.Connections ? "; there is no room for one silo more, as in a rolling upgrade" : "")}.");
    }

    private static async Task<IReadOnlyList<Finding>> OfPortsAsync(IReadOnlyList<HolderRow> silos, CancellationToken cancellationToken)
    {
        if (silos.Count == 0)
        {
            return [Finding.Ok(Ports, "No silo runs that could be reached.")];
        }

        var refusals = await Task.WhenAll(silos.Select(async row => (Row: row, Why: await WhyUnreachableAsync(row.Address, cancellationToken))));
        List<Finding> findings = [.. refusals.Where(silo => silo.Why is not null).Select(silo => Finding.Problem(
            Ports,
            $"{silo.Row.PrintableName} renews its lease, and its silo port cannot be reached from this machine: {silo.Why} Open Grid:Cluster:SiloPort between the silos' machines (fix it to a number for that), or set Grid:Cluster:Address there to an address that the others reach."))];
        return findings.Count > 0 ? findings : [Finding.Ok(Ports, $"{silos.Count} of {silos.Count} can be reached from this machine.")];
    }

    // A connection and nothing more: who has no certificate is not told more than that somebody listens.
    private static async Task<string?> WhyUnreachableAsync(string address, CancellationToken cancellationToken)
    {
        IPEndPoint end;
        try
        {
            end = SiloAddress.FromParsableString(address).Endpoint;
        }
        catch (FormatException)
        {
            return $"'{address}' is no address of a silo.";
        }

        try
        {
            using var socket = await PeerPort.ConnectAsync(end, PatienceForPort, cancellationToken);
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.TimedOut)
        {
            return $"{end} does not answer within {PatienceForPort.TotalSeconds:0} s.";
        }
        catch (SocketException failure)
        {
            return $"{end}: {failure.Message}.";
        }
    }

    private async Task<(IReadOnlyList<HolderRow> Alive, IReadOnlyList<HolderRow> Silent)> ObserveAsync(CancellationToken cancellationToken)
    {
        var registry = services.GetRequiredService<IHolderRegistry>();
        var clock = LeaseClock.Instance;
        var first = (await registry.ListAsync(cancellationToken)).ToDictionary(row => row.Incarnation);
        var since = clock.GetTimestamp();
        while (true)
        {
            var now = await registry.ListAsync(cancellationToken);
            var moved = now.ToLookup(row => !first.TryGetValue(row.Incarnation, out var before) || before.Counter != row.Counter);

            // Who renews does so every second at the latest; a lease later it would accept nothing by itself.
            if (moved[false].All(row => clock.GetElapsedTime(since) >= row.Lease))
            {
                return ([.. moved[true]], [.. moved[false]]);
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }
    }
}
