using System.CommandLine;
using System.Net;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;

namespace Grid.Silo.Commands;

/// <summary><c>grid health</c>: asks the silo on this machine whether it is ready, for containers without a shell.</summary>
internal static class Health
{
    private const int NotReady = 1;

    // Less than the image's HEALTHCHECK has.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var live = new Option<bool>("--live") { Description = "Ask only whether the process answers." };
        var health = new Command("health", "Ask the silo that runs here with these settings whether it is ready. Exit code 1: it is not, or does not answer.") { live };
        health.TreatUnmatchedTokensAsErrors = false;
        health.SetAction((parse, stop) => guarded(() => RunAsync(Probe(Configuration.Build(Overrides.Of(parse)), parse.GetValue(live)), stop)));
        return health;
    }

    /// <summary>What is asked. No other setting is looked at: what has become of the others' files since the start is for the silo to say.</summary>
    /// <exception cref="SettingsException">Nobody knows where the silo listens.</exception>
    internal static Uri Probe(IConfigurationRoot configuration, bool onlyLive)
    {
        var core = SettingsBinder.Bind<CoreApiOptions>(configuration, CoreApiOptions.Section);
        if (core.Port == 0)
        {
            throw new SettingsException("Grid:Core:Port is 0, so nobody knows which port the silo has taken. Give it a fixed one.");
        }

        var listens = GridSettings.CoreAddress(core);
        var address = listens.Equals(IPAddress.Any) ? IPAddress.Loopback : listens.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : listens;
        return new UriBuilder("http", address.ToString(), core.Port, onlyLive ? "/health/live" : "/health/ready").Uri;
    }

    private static async Task<int> RunAsync(Uri probe, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(probe, cancellationToken);
            Console.Out.WriteLine(await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer.IsSuccessStatusCode ? 0 : NotReady;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            Console.Out.WriteLine($"{probe} does not answer: {failure.Message}");
            return NotReady;
        }
    }
}
