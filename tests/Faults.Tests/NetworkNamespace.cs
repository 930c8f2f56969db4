using System.Diagnostics;

namespace Grid.Faults.Tests;

/// <summary>A network of its own for one silo: one link to the cluster, which can be cut, and one for those who ask it, which cannot.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    // Of a process's own: several may be at work on a machine.
    private static readonly int Number = 1 + (Environment.ProcessId % 250);

    private readonly string _name = $"grid{Environment.ProcessId % 100_000}";

    private readonly List<string> _unreachable = [];

    private NetworkNamespace()
    {
    }

    /// <summary>This machine, as the silo inside sees it.</summary>
    public string Outside { get; } = $"10.213.{Number}.1";

    /// <summary>The silo inside, as the cluster sees it.</summary>
    public string Inside { get; } = $"10.213.{Number}.2";

    /// <summary>The silo inside, as its callers see it.</summary>
    public string Door { get; } = $"10.214.{Number}.2";

    /// <summary>Starts a command inside.</summary>
    public string[] Prefix => ["ip", "netns", "exec", _name];

    /// <summary>Skips the test where this machine does not allow it.</summary>
    public static NetworkNamespace Create()
    {
        var network = new NetworkNamespace();
        try
        {
            var name = network._name;
            Run("ip", "netns", "add", name);
            Link(name, "cable", network.Outside, network.Inside);
            Link(name, "door", $"10.214.{Number}.1", network.Door);
            Run("ip", "-n", name, "link", "set", "lo", "up");
            return network;
        }
        catch (Exception failure) when (failure is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            network.Dispose();
            Assert.Skip($"no network namespaces here: {failure.Message}");
            throw;
        }

        static void Link(string name, string kind, string outside, string inside)
        {
            Run("ip", "link", "add", name + kind, "type", "veth", "peer", "name", kind, "netns", name);
            Run("ip", "address", "add", outside + "/24", "dev", name + kind);
            Run("ip", "link", "set", name + kind, "up");
            Run("ip", "-n", name, "address", "add", inside + "/24", "dev", kind);
            Run("ip", "-n", name, "link", "set", kind, "up");
        }
    }

    /// <summary>Between the silo inside and everybody else in the cluster, the store among them.</summary>
    public void Cut() => Run("ip", "link", "set", _name + "cable", "down");

    /// <summary>Gives the silo inside an address that leads nowhere from outside, as behind a firewall.</summary>
    public void AddInside(string address)
    {
        Run("ip", "-n", _name, "address", "add", address + "/32", "dev", "lo");

        // Connections that are opened inside have the link's address, so that answers to them come back.
        Run("ip", "route", "replace", "unreachable", address + "/32");
        _unreachable.Add(address);
    }

    public void Mend() => Run("ip", "link", "set", _name + "cable", "up");

    public void Dispose()
    {
        foreach (var address in _unreachable)
        {
            Run("ip", "route", "delete", "unreachable", address + "/32");
        }

        // Takes the links with it.
        try
        {
            Run("ip", "netns", "delete", _name);
        }
        catch (Exception failure) when (failure is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It was never made.
        }
    }

    private static void Run(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)}: {error.Trim()}");
        }
    }
}
