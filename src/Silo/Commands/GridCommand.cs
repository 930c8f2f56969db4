using System.CommandLine;
using Grid.Hosting.Joining;
using Grid.Hosting.Settings;
using Grid.Storage;

namespace Grid.Silo.Commands;

/// <summary>The executable's verbs.</summary>
internal static class GridCommand
{
    /// <summary>Exit codes: 0 done, 1 unexpected (<c>doctor</c> and <c>health</c>: not well), 2 settings, 3 store, 4 cluster.</summary>
    private const int Unexpected = 1;
    private const int SettingsError = 2;
    private const int StoreError = StoreStartException.ExitCode;
    private const int ClusterError = ClusterStartException.ExitCode;

    public static RootCommand Create()
    {
        var root = new RootCommand("Grid, a session service. Without a verb it serves.") { TreatUnmatchedTokensAsErrors = false };
        root.SetAction((parse, stop) => Guarded(() => Serve.RunAsync(Overrides.Of(parse), stop)));
        var serve = new Command("serve", "Serve the core API.") { TreatUnmatchedTokensAsErrors = false };
        serve.SetAction((parse, stop) => Guarded(() => Serve.RunAsync(Overrides.Of(parse), stop)));
        root.Add(serve);
        root.Add(Migrate.Create(Guarded));
        root.Add(ShowConfig.Create(Guarded));
        root.Add(Keys.Create(Guarded));
        root.Add(Import.Create(Guarded));
        root.Add(RenameCluster.Create(Guarded));
        root.Add(AcceptClock.Create(Guarded));
        root.Add(RestoreFence.Create(Guarded));
        root.Add(Doctor.Create(Guarded));
        root.Add(Health.Create(Guarded));
        foreach (var group in root.Subcommands.Where(command => command.Subcommands.Count > 0))
        {
            group.TreatUnmatchedTokensAsErrors = false;
            group.SetAction((parse, _) => Guarded(() => throw Overrides.Unknown(parse, parse.UnmatchedTokens.Count > 0 ? parse.UnmatchedTokens[0] : null)));
        }

        return root;
    }

    /// <summary>Runs the verb in the arguments.</summary>
    public static Task<int> RunAsync(string[] arguments)
    {
        var parse = Create().Parse(arguments);
        return parse is { Errors.Count: > 0, Action: null or System.CommandLine.Invocation.ParseErrorAction }
            ? Guarded(() => throw new SettingsException($"{string.Join(' ', parse.Errors.Select(error => error.Message))} 'grid {parse.CommandResult.Command.Name} --help' says more."))

            // Signals are handled by the host: a silo that is cut off while it drains would lose requests and leave the cluster unannounced.
            : parse.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static async Task<int> Guarded(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (SettingsException refusal)
        {
            return Fail(refusal.Message, SettingsError);
        }
        catch (StoreStartException refusal)
        {
            return Fail(refusal.Message, StoreError);
        }
        catch (ClusterStartException refusal)
        {
            return Fail(refusal.Message, ClusterError);
        }
        catch (IOException failure) when (failure.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return Fail($"{failure.Message} Set Grid:Core:Port or Grid:Front:Port to a free port, or stop the other process.", SettingsError);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // One sentence for the operator; the full exception only on request.
            var detail = Environment.GetEnvironmentVariable("GRID_STACK") is "1" ? $"\n{failure}" : " Set GRID_STACK=1 to see where.";
            return Fail($"unexpected failure: {failure.GetType().Name}: {failure.Message}{detail}", Unexpected);
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"grid: {message}");
        return code;
    }
}
