using System.Net;
using System.Text.Json.Nodes;
using Grid.Storage;
using static Grid.Adversary.Tests.TwoApps;

namespace Grid.Adversary.Tests.OtherApps;

/// <summary>Somebody with a key of his own names the handles of another app's sessions.</summary>
public sealed class ForeignHandleTests
{
    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task Naming_another_apps_session_ends_nothing_hides_nothing_and_tells_nobody(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine);
        var session = await grid.Http.CreateAsync("alice", Shop, ShopKey);
        await using var service = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);
        using var over = new CancellationTokenSource();
        var hearing = Task.Run(() => service.BehaveAsync(over.Token), TestContext.Current.CancellationToken);
        string[] calls = ["recipe/session/remove", "session/revoke"];
        string[] spellings = [session.Handle, $"{session.Handle}_t1", session.Handle.ToUpperInvariant()];
        await grid.PutTenantAsync(Shop, ShopKey, "t1");
        await grid.PutTenantAsync(Pest, PestKey, "t1");
        Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));
        foreach (var (app, key) in new[] { (Pest, PestKey), (Shop, ShopKey) })
        {
            foreach (var handle in app == Shop ? spellings[1..] : spellings)
            {
                foreach (var call in calls)
                {
                    var (code, body) = await grid.Http.CallAsync($"{app}/{call}", $$"""{"sessionHandles":["{{handle}}"]}""", key);
                    Assert.True(code == HttpStatusCode.OK && body?["sessionHandlesRevoked"] is JsonArray { Count: 0 }, $"{app}/{call} {handle}: {code} {body}");
                    if (call == "session/revoke")
                    {
                        Assert.Equal(0, (int)body["position"]!);
                    }

                    Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));
                }
            }
        }

        var (_, ended) = await grid.Http.CallAsync($"{Shop}/recipe/session/remove", $$"""{"sessionHandles":["{{session.Handle}}"]}""", ShopKey);
        Assert.Equal(session.Handle, (string?)ended!["sessionHandlesRevoked"]![0]);
        Assert.Equal("UNAUTHORISED", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));

        // What the pest named was told to nobody in the shop.
        await over.CancelAsync();
        var heard = await hearing;
        Assert.NotEmpty(heard);
        Assert.DoesNotContain(heard, entries => entries.Contains("pest", StringComparison.Ordinal));
    }
}
