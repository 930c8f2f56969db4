using Grid.Storage;
using Npgsql;
using static Grid.Adversary.Tests.TwoApps;

namespace Grid.Adversary.Tests.Services;

/// <summary>Somebody with a key of his own writes to the registry of holders what is not so.</summary>
public sealed class RegistryTests
{
    [Fact]
    public async Task Whoever_names_a_silos_row_does_not_remove_it_and_revocations_wait_for_that_silo()
    {
        await using var grid = await StartAsync(StoreEngine.PostgreSql, silos: 2);
        var silos = await RowsAsync(grid);
        Assert.Equal(2, silos.Count);
        Assert.All(silos, silo => Assert.DoesNotContain(silo.ToString(), grid.Silos[0].Output + grid.Silos[1].Output, StringComparison.OrdinalIgnoreCase));
        for (var round = 0; round < 4; round++)
        {
            foreach (var silo in silos)
            {
                await using var asFormer = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
                Assert.Equal("registered", (string?)(await asFormer.RegisterAsync(Guid.NewGuid(), former: silo, secret: round % 2 == 0 ? null : "guess"))!["type"]);
                await using var asOwn = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
                Assert.Equal("failed", (string?)(await asOwn.RegisterAsync(silo))!["type"]);
                await asOwn.SendAsync("""{"type":"leave"}""");
                Assert.Null(await asOwn.ReceiveAsync());
            }

            var session = await grid.Http.CreateAsync("alice", Shop, ShopKey);
            Assert.Equal("OK", await grid.Silos[1].Http.VerifyAsync(session.Access, Shop, ShopKey));
            Assert.Equal((2, 0), await grid.RevokeAsync("alice"));
            Assert.Equal("UNAUTHORISED", await grid.Silos[1].Http.VerifyAsync(session.Access, Shop, ShopKey));
        }

        Assert.Empty(silos.Except(await RowsAsync(grid)));
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task A_neighbours_row_stays_whatever_is_claimed_and_ones_own_leaves_with_its_secret(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine);
        await using var victim = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);
        await using var thief = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
        await thief.RegisterAsync(Guid.NewGuid(), former: victim.Incarnation, secret: victim.Secret);
        await using var twin = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
        Assert.Contains("incarnation", (string?)(await twin.RegisterAsync(victim.Incarnation))!["reason"], StringComparison.Ordinal);

        // Still there, still renewed, still told.
        await victim.RenewAsync(2);
        var revoking = grid.RevokeAsync("alice");
        var entries = await victim.ReceiveAsync("entries");
        await victim.SendAsync($$"""{"type":"confirm","n":{{(int)entries!["n"]!}}}""");
        Assert.Equal((2, 0), await revoking);

        // The connection breaks; its successor says so, and nobody waits for what it was.
        await victim.DisposeAsync();
        await using var heir = await RawService.ConnectAsync(grid.Silos[0], Shop, ShopKey);
        await heir.RegisterAsync(Guid.NewGuid(), former: victim.Incarnation, secret: victim.Secret);
        await heir.SendAsync("""{"type":"leave"}""");
        Assert.Null(await heir.ReceiveAsync());
        Assert.Equal((1, 0), await grid.RevokeAsync("alice"));
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task Registrations_that_make_no_sense_are_refused_with_the_reason(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine);
        foreach (var (message, reason) in new[]
        {
            ("""{"type":"register","n":1,"incarnation":"00000000-0000-0000-0000-000000000000"}""", "incarnation"),
            ("""{"type":"register","n":1}""", "incarnation"),
            ("""{"type":"register","n":1,"incarnation":"nonsense"}""", "wrong type"),
            ("""{"type":"register","n":1,"incarnation":"c0000000-0000-4000-8000-000000000001","name":"a\u0000b"}""", "name"),
            ("""{"type":"register","n":1,"incarnation":"c0000000-0000-4000-8000-000000000001","name":"a\ud800b"}""", "wrong type"),
            ("""{"type":"register","n":-1,"incarnation":"c0000000-0000-4000-8000-000000000001"}""", "n must"),
            ("""{"type":"renew","n":1}""", "register first"),
            ("""{"type":"look","n":1,"tenant":"public","session":"c0000000-0000-4000-8000-000000000001"}""", "register first"),
        })
        {
            await using var service = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
            await service.SendAsync(message);
            var answer = await service.ReceiveAsync();
            Assert.Equal("failed", (string?)answer!["type"]);
            Assert.Contains(reason, (string?)answer["reason"], StringComparison.Ordinal);
            Assert.Null(await service.ReceiveAsync());
            Assert.Equal((string?)answer["reason"], service.Goodbye);
        }

        foreach (var noise in new[] { "", "[]", "null", "7", "{", """{"n":1}""", new string('[', 100), $$"""{"type":"{{new string('x', 20_000)}}"}""" })
        {
            await using var service = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
            await service.SendAsync(noise);
            Assert.Null(await service.ReceiveAsync());
            Assert.NotNull(service.Goodbye);
        }

        await using var twice = await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey);
        Assert.Contains("already", (string?)(await twice.RegisterAsync(Guid.NewGuid()))!["reason"], StringComparison.Ordinal);
        await twice.RenewAsync(2);
        Assert.DoesNotContain(grid.Silos[0].Output.Split('\n'), line => line.Contains("fail:", StringComparison.Ordinal) || line.Contains("[3010]", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task However_they_come_and_go_another_apps_revocations_wait_for_none_of_them(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine, settings: ("Grid__Revocation__MaxServicesPerApp", "5"));
        using var over = new CancellationTokenSource();
        var pests = Enumerable.Range(0, 4).Select(kind => Task.Run(
            async () =>
            {
                while (!over.IsCancellationRequested)
                {
                    try
                    {
                        await using var pest = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
                        if ((string?)(await pest.RegisterAsync(Guid.NewGuid()))?["type"] == "registered" && kind > 0)
                        {
                            // Fresh now; then gone without a word, or with one.
                            await pest.RenewAsync(1);
                            await pest.SendAsync(kind == 1 ? """{"type":"leave"}""" : """{"type":"confirm","n":1}""");
                        }
                    }
                    catch (Exception) when (!over.IsCancellationRequested)
                    {
                        // Refused: it comes again.
                    }

                    await Task.Delay(100);
                }
            })).ToList();
        for (var i = 0; i < 40; i++)
        {
            var session = await grid.Http.CreateAsync("alice", Shop, ShopKey);
            Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));
            Assert.Equal((1, 0), await grid.RevokeAsync("alice"));
            Assert.Equal("UNAUTHORISED", await grid.Http.VerifyAsync(session.Access, Shop, ShopKey));
            if (engine == StoreEngine.PostgreSql)
            {
                Assert.InRange((await RowsAsync(grid)).Count, 1, 6);
            }

            await Task.Delay(100);
        }

        await over.CancelAsync();
        await Task.WhenAll(pests);

        // The pest waits for itself. Which of its rows are fresh just now is chance: one more is, as soon as there is room for it.
        while (!await RegisterAndVanishAsync(grid))
        {
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }

        Assert.NotEqual(0, (await grid.RevokeAsync("bob", Pest, PestKey)).WaitedOut);
    }

    [Theory, MemberData(nameof(TwoApps.Engines), MemberType = typeof(TwoApps))]
    public async Task An_app_has_as_many_services_as_it_may_have_those_that_vanished_included_and_is_told_which_setting_says_so(StoreEngine engine)
    {
        await using var grid = await StartAsync(engine, settings: ("Grid__Revocation__MaxServicesPerApp", "3"));
        for (var i = 0; i < 3; i++)
        {
            await (await RawService.RegisteredAsync(grid.Silos[0], Pest, PestKey)).DisposeAsync();
        }

        await using var more = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
        Assert.Contains("Grid:Revocation:MaxServicesPerApp", (string?)(await more.RegisterAsync(Guid.NewGuid()))!["reason"], StringComparison.Ordinal);
        await using var neighbour = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);

        // Their leases run out, the reaper comes.
        while (true)
        {
            await using var later = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
            if ((string?)(await later.RegisterAsync(Guid.NewGuid()))!["type"] == "registered")
            {
                break;
            }

            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Registrations_of_one_app_have_a_rate()
    {
        await using var grid = await StartAsync(StoreEngine.Sqlite, settings: ("Grid__Revocation__MaxServicesPerApp", "10"));
        List<string?> reasons = [];
        for (var i = 0; i < 40; i++)
        {
            await using var service = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
            reasons.Add((string?)(await service.RegisterAsync(Guid.NewGuid()))!["reason"]);
            await service.SendAsync("""{"type":"leave"}""");
        }

        Assert.InRange(reasons.Count(reason => reason is null), 10, 39);
        Assert.Contains(reasons, reason => reason?.Contains("registrations a second", StringComparison.Ordinal) == true);
        await using var neighbour = await RawService.RegisteredAsync(grid.Silos[0], Shop, ShopKey);
    }

    private static async Task<bool> RegisterAndVanishAsync(TwoApps grid)
    {
        try
        {
            await using var pest = await RawService.ConnectAsync(grid.Silos[0], Pest, PestKey);
            if ((string?)(await pest.RegisterAsync(Guid.NewGuid()))?["type"] != "registered")
            {
                return false;
            }

            await pest.RenewAsync(1);
            return true;
        }
        catch (Exception) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Refused before it could say anything.
            return false;
        }
    }

    private static async Task<IReadOnlyList<Guid>> RowsAsync(TwoApps grid)
    {
        await using var connection = new NpgsqlConnection(grid.Database);
        await connection.OpenAsync();
        await using var list = new NpgsqlCommand("SELECT incarnation FROM grid_holder", connection);
        await using var rows = await list.ExecuteReaderAsync();
        List<Guid> incarnations = [];
        while (await rows.ReadAsync())
        {
            incarnations.Add(rows.GetGuid(0));
        }

        return incarnations;
    }
}
