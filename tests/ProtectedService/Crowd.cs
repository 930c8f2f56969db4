using System.Text.Json.Nodes;
using Grid.Client;

namespace Grid.ProtectedService;

/// <summary>Many services in one process, each with a connection to Grid and a lease of its own, as if each were a program.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly List<IHost> _services = [];

    private Crowd()
    {
    }

    /// <param name="count">How many; often none.</param>
    /// <param name="grid">The core API.</param>
    public static async Task<Crowd> StartAsync(int count, Uri? grid)
    {
        var crowd = new Crowd();
        for (var i = 0; i < count; i++)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddGridClient(client => client.ConnectionUri = grid);
            var service = builder.Build();
            await service.StartAsync();
            crowd._services.Add(service);
        }

        return crowd;
    }

    /// <summary>Shows a token to each of them.</summary>
    /// <returns>How many accepted it, refused it, and could not say.</returns>
    public async Task<JsonObject> CheckAsync(JsonObject body)
    {
        var token = new TokenToCheck((string)body["accessToken"]!, false, null, true);
        var verdicts = await Task.WhenAll(_services.Select(service => CheckAsync(service.Services.GetRequiredService<IGridSessions>(), token)));
        return new JsonObject
        {
            ["accepted"] = verdicts.Count(verdict => verdict == SessionVerdict.Ok),
            ["refused"] = verdicts.Count(verdict => verdict == SessionVerdict.Unauthorised),
            ["unavailable"] = verdicts.Count(verdict => verdict is null or SessionVerdict.TryRefresh),
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services)
        {
            await service.StopAsync();
            service.Dispose();
        }
    }

    private static async Task<SessionVerdict?> CheckAsync(IGridSessions sessions, TokenToCheck token)
    {
        try
        {
            return (await sessions.VerifyAsync(token, CancellationToken.None)).Verdict;
        }
        catch (GridException failure) when (failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting)
        {
            return null;
        }
    }
}
