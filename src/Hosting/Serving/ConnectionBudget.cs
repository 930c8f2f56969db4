using System.Globalization;
using Grid.Hosting.Settings;
using Grid.Storage;

namespace Grid.Hosting.Serving;

/// <summary>How many connections each door takes, so that the process never runs out of descriptors: without one it can neither write nor renew, and dies.</summary>
/// <param name="Descriptors">What the system allows; null if it does not say.</param>
/// <param name="Core">Connections of the core API.</param>
/// <param name="Front">Connections of the front.</param>
/// <param name="FrontPerAddress">Of those, from one address that is not this machine's.</param>
internal sealed record ConnectionBudget(long? Descriptors, int Core, int Front, int FrontPerAddress)
{
    // An idle silo has about 290 open: its assemblies, files, event queues.
    private const int Runtime = 320;

    // Beside the budget, for a moment of the start: migrations, the question who answers.
    private const int DatabaseStart = 8;

    // Two for each peer, as many again while they come and go.
    private const int Cluster = 64;

    // The file, its log, a few readers; the silo's own two ports.
    private const int Embedded = 16;

    private const int MaxDoor = 20_000;
    private const int MinDoor = 32;

    /// <summary>Fewer than this are worth a warning: a few hundred browsers would fill them.</summary>
    public const int Comfortable = 4096;

    /// <summary>What the system lets this process open. The runtime has raised the soft limit to the hard one by the time that we read it.</summary>
    public static long? ReadLimit()
    {
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(text => text.StartsWith("Max open files", StringComparison.Ordinal));
            var word = line?["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            return long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Not Linux.
            return null;
        }
    }

    /// <exception cref="SettingsException">There are too few, or the settings ask for more than there are.</exception>
    public static ConnectionBudget Of(GridSettings settings, long? descriptors)
    {
        var reserve = Runtime + (settings.Store.Engine == StoreEngine.PostgreSql ? settings.Store.MaxConnections + DatabaseStart + Cluster : Embedded);
        var doors = settings.Front.Enabled ? 2 : 1;
        var left = descriptors is { } limit ? Math.Min(limit - reserve, doors * (long)MaxDoor) : doors * (long)MaxDoor;
        if (left < doors * MinDoor)
        {
            throw new SettingsException(
                $"This process may open {descriptors} files and sockets, and needs {reserve + (doors * MinDoor)} at least. Raise the limit: 'ulimit -n 65536', LimitNOFILE=65536 in a systemd unit, '--ulimit nofile=65536' for a container.");
        }

        // The front is public, so it gets the larger part; back ends reuse a few connections.
        var core = settings.Core.MaxConnections ?? (int)Math.Min(MaxDoor, settings.Front.Enabled ? Math.Max(MinDoor, left / 3) : left);
        var front = !settings.Front.Enabled ? 0 : settings.Front.MaxConnections ?? (int)Math.Clamp(left - core, MinDoor, MaxDoor);
        if (descriptors is { } all && core + front + reserve > all)
        {
            throw new SettingsException(
                $"Grid:Core:MaxConnections and Grid:Front:MaxConnections come to {core + front}, and the process itself needs {reserve}: more than the {all} files and sockets that it may open. Lower them, or raise the limit ('ulimit -n', LimitNOFILE=, '--ulimit nofile=').");
        }

        // Half: one address cannot shut out the others, and a proxy elsewhere still has room.
        return new ConnectionBudget(descriptors, core, front, settings.Front.MaxConnectionsPerAddress ?? Math.Max(1, front / 2));
    }
}
