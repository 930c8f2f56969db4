using System.Runtime.CompilerServices;

namespace Grid.TestKit;

/// <summary>An Express application with <c>grid-sessions</c> as a process of its own: <c>clients/node/test/drill</c>.</summary>
public static class NodeService
{
    private static readonly string Package = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(SourceOf())!, "..", "..", "clients", "node"));

    /// <summary>What it lacks to be started here; null: nothing.</summary>
    public static string? Missing { get; } =
        !Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "node"))) ? "no Node on this machine"
        : !File.Exists(Path.Combine(Package, "dist", "index.js")) ? "clients/node is not built: run clients/node/run --build"
        : null;

    /// <summary>Starts one; returns when it listens, whether Grid is there or not.</summary>
    /// <param name="grid">The core API.</param>
    /// <param name="environment">What else its environment holds.</param>
    public static Task<ServiceProcess> StartAsync(Uri grid, params (string Name, string Value)[] environment)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return ServiceProcess.StartAsync("node", [Path.Combine(Package, "test", "drill", "service.mjs")], [.. environment, ("GRID_URI", grid.ToString().TrimEnd('/'))]);
    }

    private static string SourceOf([CallerFilePath] string path = "") => path;
}
