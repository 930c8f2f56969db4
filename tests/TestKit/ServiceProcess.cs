using System.Diagnostics;

namespace Grid.TestKit;

/// <summary>An application behind <c>AddGrid()</c> as a process of its own: <c>tests/ProtectedService</c>, which the test project has to reference.</summary>
public sealed class ServiceProcess : RunningProcess
{
    private ServiceProcess(ProcessStartInfo start, (string Name, string Value)[] environment)
        : base(start, environment)
    {
    }

    /// <summary>Starts one; returns when it listens, whether Grid is there or not.</summary>
    /// <param name="grid">The core API.</param>
    /// <param name="settings">Of <c>GridOptions</c>, by name.</param>
    public static Task<ServiceProcess> StartAsync(Uri grid, params (string Name, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return StartAsync(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Grid.ProtectedService.dll")],
            [.. settings.Append(("ConnectionUri", grid.ToString())).Select(setting => ($"Service__{setting.Item1}", setting.Item2))]);
    }

    /// <summary>Starts any program that says where it listens.</summary>
    internal static async Task<ServiceProcess> StartAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var service = new ServiceProcess(new ProcessStartInfo(program, arguments) { WorkingDirectory = Path.GetTempPath() }, environment);
        await service.ReadyAsync("listens on ", TimeSpan.FromSeconds(20));
        return service;
    }
}
