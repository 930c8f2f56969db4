using System.Diagnostics;
using System.Net.WebSockets;
using Grid.Storage;
using static Grid.Adversary.Tests.TwoApps;

namespace Grid.Adversary.Tests.Services;

/// <summary>A connected service that lies, hangs, or is no service at all.</summary>
public sealed class ConnectionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_does_not_register_is_told_to_and_closed_and_takes_no_place_from_others()
    {
        await using var grid = await StartAsync(StoreEngine.Sqlite, settings: [("Grid__Revocation__MaxServicesPerApp", "3"), ("Grid__Revocation__MaxServices", "5")]);
        var silent = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RawService.ConnectAsync(grid.Silos[0], Pest, PestKey)));

        await Assert.ThrowsAsync<WebSocketException>(() => RawService.ConnectAsync(grid.Silos[0], Pest, PestKey));
        await using var neighbour = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);

        // Those who only sit there are no holders.
        var revoking = grid.RevokeAsync("bob", Pest, PestKey);
        Assert.Equal((1, 0), await revoking);
        foreach (var service in silent)
        {
            Assert.Null(await service.ReceiveAsync());
            Assert.Contains("register within 5 s", service.Goodbye, StringComparison.Ordinal);
            await service.DisposeAsync();
        }

        // A place is free once Grid has seen the last of whoever had it.
        for (var patience = Stopwatch.StartNew(); !await IsLetInAsync(); await Task.Delay(50, Stop))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromMinutes(1), "The places are not given back.");
        }

        async Task<bool> IsLetInAsync()
        {
            try
            {
                await using var next = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
                return true;
            }
            catch (WebSocketException)
            {
                return false;
            }
        }
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task Who_renews_and_never_confirms_is_cut_off_named_once_and_waited_for_no_more(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine);
        await using var pest = await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey, "evil\n\u001b[31mfail: \u202eforged", confirms: false);
        var lost = Task.Run(
            async () =>
            {
                for (var n = 2; ; n++)
                {
                    await pest.SendAsync($$"""{"type":"renew","n":{{n}}}""");
                    if (await pest.ReceiveAsync() is var answer && (string?)answer?["type"] != "renewed")
                    {
                        return answer;
                    }

                    await Task.Delay(300);
                }
            },
            Stop);

        // One revocation is told again and again; the neighbour's are not held up.
        var own = grid.RevokeAsync("bob", Pest, PestKey);
        while (!own.IsCompleted)
        {
            Assert.Equal((1, 0), await grid.RevokeAsync("alice"));
            await Task.Delay(200, Stop);
        }

        Assert.Equal((1, 1), await own);
        while (!lost.IsCompleted)
        {
            await grid.RevokeAsync("bob", Pest, PestKey);
        }

        Assert.Contains("confirm", (string?)(await lost)?["reason"], StringComparison.Ordinal);
        var since = Stopwatch.StartNew();
        while (await grid.RevokeAsync("bob", Pest, PestKey) != (1, 0))
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(60), "It is waited for as ever.");
        }

        var warning = Assert.Single(grid.Silos[0].Output.Split('\n'), line => line.Contains("evil", StringComparison.Ordinal) && line.Contains("did not confirm", StringComparison.Ordinal));
        Assert.Contains(@"evil\u000a\u001b[31mfail: \u202eforged", warning, StringComparison.Ordinal);
        Assert.Contains("app pest", warning, StringComparison.Ordinal);
        Assert.DoesNotContain(pest.Incarnation.ToString(), grid.Silos[0].Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(pest.Secret!, grid.Silos[0].Output, StringComparison.Ordinal);
        Assert.DoesNotContain(grid.Silos[0].Output.Split('\n'), line => line.Contains('\u001b', StringComparison.Ordinal) && line.Contains("forged", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task Ten_thousand_looks_that_make_no_sense_are_each_answered_and_disturb_no_neighbours_first_sight(StoreEngine engine)
    {
        const int Looks = 10_000;
        await using var grid = await StartAsync(engine);
        await using var pest = await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey);
        string[] tenants =
        [
            @"""a\u0000b""", @"""a\ud800b""", @"""\udc00""", @"""""", @"""PUBLIC""", @"""a b""", @"""a/b""", @"""tenant'; --""", $"\"{new string('a', 65)}\"", "null", "7", "[]", @"{""a"":{}}",
        ];
        var flood = Task.Run(
            async () =>
            {
                for (var n = 1; n <= Looks; n++)
                {
                    await pest.SendAsync($$"""{"type":"look","n":{{n}},"tenant":{{tenants[n % tenants.Length]}},"session":"{{Guid.NewGuid()}}"}""");
                }

                // And ids that are none; and good ones, whose sessions are the neighbour's or nobody's.
                await pest.SendAsync($$"""{"type":"look","n":{{Looks + 1}},"tenant":"public","session":"nonsense"}""");
                await pest.SendAsync($$"""{"type":"look","n":{{Looks + 2}},"tenant":"public"}""");
                await pest.SendAsync($$"""{"type":"look","n":{{Looks + 3}},"tenant":"public","session":"{{Guid.NewGuid()}}"}""");
            },
            Stop);
        var answers = Task.Run(
            async () =>
            {
                Dictionary<int, string> types = [];
                while (types.Count < Looks + 3 && await pest.ReceiveAsync() is { } answer)
                {
                    types[(int)answer["n"]!] = (string)answer["type"]!;
                }

                return types;
            },
            Stop);
        var checks = 0;
        while (!answers.IsCompleted)
        {
            // Each is looked up in the store.
            var session = await grid.Http.CreateAsync($"user-{checks}", Shop, ShopKey);
            Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));
            checks++;
        }

        await flood;
        var told = await answers;
        Assert.Equal(Looks + 3, told.Count);
        Assert.All(Enumerable.Range(1, Looks + 2), n => Assert.Equal("failed", told[n]));
        Assert.Equal("looked", told[Looks + 3]);
        Assert.DoesNotContain(grid.Silos[0].Output.Split('\n'), line => line.Contains("fail:", StringComparison.Ordinal) || line.Contains("[3012]", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task Good_looks_beyond_measure_wait_for_each_other_and_are_all_answered(StoreEngine engine)
    {
        const int Looks = 5_000;
        await using var grid = await StartAsync(engine);
        await using var pest = await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey);
        var flood = Task.Run(
            async () =>
            {
                for (var n = 1; n <= Looks; n++)
                {
                    await pest.SendAsync($$"""{"type":"look","n":{{n}},"tenant":"public","session":"{{Guid.NewGuid()}}"}""");
                }
            },
            Stop);
        for (var n = 1; n <= Looks; n++)
        {
            Assert.Equal("looked", (string?)(await pest.ReceiveAsync())!["type"]);
        }

        await flood;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whose_key_is_withdrawn_or_whose_app_is_removed_hears_no_more_and_is_told_why(bool removed)
    {
        await using var grid = await StartAsync(StoreEngine.Sqlite);
        await using var pest = await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey);
        await using var neighbour = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);
        var hearing = pest.ReceiveAsync("lost");
        await (removed ? grid.RemoveAppAsync("pest") : grid.PutAppAsync("pest", "another-key-of-the-pest-0123456789"));

        var lost = await hearing;
        Assert.Contains(removed ? "app is not there" : "API key", (string?)lost!["reason"], StringComparison.Ordinal);
        Assert.Null(await pest.ReceiveAsync());
        await neighbour.RenewAsync(2);
        await Assert.ThrowsAsync<WebSocketException>(() => RawService.ConnectAsync(grid.Silos[0], Pest, PestKey));
    }

    [Fact]
    public async Task Who_registers_and_never_renews_is_told_that_it_is_over()
    {
        await using var grid = await StartAsync(StoreEngine.Sqlite);
        await using var pest = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
        await pest.RegisterAsync(Guid.NewGuid());

        Assert.Equal("lost", (string?)(await pest.ReceiveAsync())!["type"]);
        Assert.Null(await pest.ReceiveAsync());
        Assert.Equal((1, 0), await grid.RevokeAsync("bob", Pest, PestKey));
    }
}
