using System.Diagnostics;

namespace Grid.TestKit;

/// <summary>The built executable, beside the test's own assembly, as a process of its own.</summary>
public sealed class GridProcess : RunningProcess
{
    private GridProcess(ProcessStartInfo start, (string Name, string Value)[] environment)
        : base(start, environment)
    {
    }

    /// <summary>A client of the front for browsers. Keeps no cookies.</summary>
    public HttpClient FrontHttp() => new(new HttpClientHandler { UseCookies = false })
    {
        BaseAddress = new Uri(Address("Front for browsers listens on ").Trim()),
    };

    /// <summary>Runs a verb to its end.</summary>
    public static Task<(int Code, string Output)> RunAsync(string folder, string[] arguments, params (string Name, string Value)[] environment) =>
        RunAsync(folder, [], arguments, environment);

    /// <summary>As above, by a command that starts commands.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string folder, string[] prefix, string[] arguments, (string Name, string Value)[] environment)
    {
        using var grid = Start(folder, prefix, arguments, environment);
        return (await grid.EndedAsync(), grid.Output);
    }

    /// <summary>Serves on a free port; returns when it says that it is ready.</summary>
    public static Task<GridProcess> ServeAsync(string folder, params (string Name, string Value)[] environment) => ServeAsync(folder, [], environment);

    /// <summary>As above, by a command that starts commands.</summary>
    public static async Task<GridProcess> ServeAsync(string folder, string[] prefix, (string Name, string Value)[] environment)
    {
        var grid = Start(folder, prefix, ["serve"], [("Grid__Core__Port", "0"), ("Grid__Front__Port", "0"), .. environment]);
        await grid.ReadyAsync("Ready.", TimeSpan.FromSeconds(100));
        return grid;
    }

    private static GridProcess Start(string folder, string[] prefix, string[] arguments, (string Name, string Value)[] environment)
    {
        string[] command = [.. prefix, "dotnet", Path.Combine(AppContext.BaseDirectory, "Grid.Silo.dll"), .. arguments];

        // Nobody balances load here; who tests the drain sets it.
        return new GridProcess(
            new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder },
            [("Grid__Shutdown__Drain", "00:00:00"), .. environment]);
    }
}
