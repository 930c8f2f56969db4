using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>A service's process while Grid is there, away, or something else: it ends when it is told to, and holds nobody up whom it need not.</summary>
public sealed class ServiceTests
{
    [Fact]
    public async Task It_ends_in_order_whatever_Grid_does()
    {
        await using var grid = await Cluster.StartSqliteAsync();
        foreach (var between in (Between[])[Between.Nothing, Between.Nobody, Between.Silence, Between.OpensSilently])
        {
            foreach (var hasMet in (bool[])[true, false])
            {
                grid.Cables[0].Mend();
                await grid.StartServiceAsync(0);
                if (hasMet)
                {
                    await UntilAcceptedAsync(grid.Services[0], grid);
                }

                // A look that waits, and attempts to come back.
                grid.Cables[0].Put(between);
                var waiting = MeAsync(grid.Services[0], await NewTokenAsync(grid));
                await Task.Delay(TimeSpan.FromSeconds(1));

                Assert.Equal(0, await grid.Services[0].TerminateAsync());
                Assert.Contains("the neighbour is disposed", grid.Services[0].Output, StringComparison.Ordinal);
                Assert.DoesNotContain("Unhandled exception", grid.Services[0].Output, StringComparison.Ordinal);
                Assert.Contains(await waiting, new[] { 200, 503 });
            }
        }
    }

    [Fact]
    public async Task A_worker_that_is_killed_holds_up_no_revocation()
    {
        await using var grid = await Cluster.StartSqliteAsync();
        foreach (var service in grid.Services)
        {
            using var answer = await service.Http.PostAsync("/work", null);
            Assert.True(answer.IsSuccessStatusCode, service.Output);
            await service.KillAsync();
        }

        var receipt = await RevokeAsync(grid, "somebody");

        Assert.Equal((1, 0), ((int)receipt["confirmed"]!, (int)receipt["waitedOut"]!));
    }

    [Fact]
    public async Task One_that_ended_in_order_holds_up_no_revocation_and_one_that_was_killed_does()
    {
        await using var grid = await Cluster.StartSqliteAsync();
        foreach (var service in grid.Services)
        {
            await UntilAcceptedAsync(service, grid);
        }

        await grid.Services[0].TerminateAsync();
        var receipt = await RevokeAsync(grid, "somebody");
        Assert.Equal((2, 0), ((int)receipt["confirmed"]!, (int)receipt["waitedOut"]!));

        await grid.Services[1].KillAsync();
        receipt = await RevokeAsync(grid, "somebody");
        Assert.Equal((1, 1), ((int)receipt["confirmed"]!, (int)receipt["waitedOut"]!));
    }

    private static async Task<string> NewTokenAsync(Cluster grid)
    {
        var order = new { userId = "somebody", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, useDynamicSigningKey = true };
        while (true)
        {
            using var answer = await grid.Silos[0].Http.PostAsJsonAsync("/recipe/session", order);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["accessToken"]!["token"]!;
            }
        }
    }

    // On a busy machine the first attempts may take too long.
    private static async Task UntilAcceptedAsync(ServiceProcess service, Cluster grid)
    {
        var token = await NewTokenAsync(grid);
        while (await MeAsync(service, token) is var status && status != 200)
        {
            Assert.Equal(503, status);
            await Task.Delay(50);
        }
    }

    private static async Task<int> MeAsync(ServiceProcess service, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me") { Headers = { { "Authorization", $"Bearer {token}" } } };
        try
        {
            using var answer = await service.Http.SendAsync(request);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            // It had ended before it took the request.
            return 503;
        }
    }

    private static async Task<JsonObject> RevokeAsync(Cluster grid, string user)
    {
        // Whom nobody knows has no session to end, and nobody to wait for.
        await NewTokenAsync(grid);
        using var answer = await grid.Silos[0].Http.PostAsJsonAsync("/session/revoke", new { userId = user });
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["holders"]!.AsObject();
    }
}
