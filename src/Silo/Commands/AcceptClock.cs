using System.CommandLine;
using Grid.Abstractions.Installation;
using Grid.Hosting.Settings;

namespace Grid.Silo.Commands;

/// <summary><c>grid clock accept</c>: this machine's clock is right, whatever the embedded file remembers.</summary>
internal static class AcceptClock
{
    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var accept = new Command("accept", "Take this machine's clock for right although the embedded file remembers another time. Stop Grid first.");
        accept.TreatUnmatchedTokensAsErrors = false;
        accept.SetAction((parse, _) => guarded(() => StoreVerb.RunAsync(Overrides.Of(parse), RunAsync)));
        return new Command("clock", "This machine's clock.") { accept };
    }

    private static async Task<int> RunAsync(GridSettings settings, IServiceProvider services)
    {
        var store = services.GetRequiredService<IStoreClock>();
        var known = await store.ReadAsync(CancellationToken.None);
        if (known.IsRunning)
        {
            throw new SettingsException("PostgreSQL's clock is what silos go by: nothing has to be accepted. Set this machine's clock, or the server's.");
        }

        var now = TimeProvider.System.GetUtcNow();
        await store.MarkAsync(now, backwards: true, CancellationToken.None);
        Console.Out.WriteLine($"the clock is accepted: it is {now:u}; the file remembered {known.Time?.ToString("u", System.Globalization.CultureInfo.InvariantCulture) ?? "nothing"}");
        return 0;
    }
}
