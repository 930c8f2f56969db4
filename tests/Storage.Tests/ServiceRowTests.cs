using Grid.Revocation.Registry;

namespace Grid.Storage.Tests;

/// <summary>Rows of services in the registry: strangers choose their ids and names, and must reach no other row. On both engines.</summary>
public sealed class ServiceRowTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_service_is_listed_for_its_app_and_a_silo_for_every_app(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var silo = NewSilo();
        var (one, other) = (NewService("a1"), NewService("a2"));
        await db.Holders.RegisterAsync(silo, Stop);
        await RegisterAsync(db, one);
        await RegisterAsync(db, other);

        Assert.Equal(new[] { silo, one.Row }.OrderBy(Id), (await db.Registry.ListServingAsync("a1", Stop)).OrderBy(Id));
        Assert.Equal(new[] { silo, other.Row }.OrderBy(Id), (await db.Registry.ListServingAsync("a2", Stop)).OrderBy(Id));
        Assert.Equal([silo], await db.Registry.ListServingAsync("A1", Stop));
        Assert.Equal(3, (await db.Registry.ListAsync(Stop)).Count);
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task An_incarnation_that_is_there_is_refused_whoever_it_is_and_nothing_changes(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var (silo, service, own) = (NewSilo(), NewService("a2"), NewService("a1"));
        await db.Holders.RegisterAsync(silo, Stop);
        await RegisterAsync(db, service);
        await RegisterAsync(db, own);
        var before = await RowsAsync(db);

        foreach (var taken in new[] { silo.Incarnation, service.Row.Incarnation, own.Row.Incarnation })
        {
            var again = NewService("a1");
            var refused = await db.Services.RegisterServiceAsync(again with { Row = again.Row with { Incarnation = taken }, Former = Own(own) }, Stop);
            Assert.Equal((RegistrationRefusal.Taken, null), (refused.Refusal, refused.Holder));
        }

        Assert.Equal(before, await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task What_a_service_was_leaves_with_its_secret_only(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var (silo, neighbour, former) = (NewSilo(), NewService("a2"), NewService("a1"));
        await db.Holders.RegisterAsync(silo, Stop);
        await RegisterAsync(db, neighbour);
        await RegisterAsync(db, former);
        OwnRow[] lies =
        [
            new(silo.Incarnation, "a1", former.SecretHash),
            new(silo.Incarnation, "a1", []),
            new(neighbour.Row.Incarnation, "a1", neighbour.SecretHash),
            new(former.Row.Incarnation, "a1", neighbour.SecretHash),
            new(former.Row.Incarnation, "a1", []),
        ];
        foreach (var lie in lies)
        {
            await RegisterAsync(db, NewService("a1") with { Former = lie });
            Assert.False(await db.Services.LeaveServiceAsync(lie, Stop));
        }

        Assert.False(await db.Services.LeaveServiceAsync(Own(former) with { App = "a2" }, Stop));
        Assert.Equal(3 + lies.Length, (await RowsAsync(db)).Count);

        await RegisterAsync(db, NewService("a1") with { Former = Own(former) });
        Assert.Equal(3 + lies.Length, (await RowsAsync(db)).Count);
        Assert.DoesNotContain(former.Row, await RowsAsync(db));
        Assert.True(await db.Services.LeaveServiceAsync(Own(neighbour), Stop));
        Assert.DoesNotContain(neighbour.Row, await RowsAsync(db));
        Assert.Contains(silo, await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_row_of_a_service_does_not_leave_as_a_silo_does(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var service = NewService("a1");
        await RegisterAsync(db, service);

        await db.Holders.LeaveAsync(service.Row.Incarnation, Stop);

        Assert.Equal([service.Row], await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task An_app_has_as_many_rows_as_it_may_have_also_if_all_come_at_once(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        await RegisterAsync(db, NewService("a2"));

        var registered = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(() => db.Services.RegisterServiceAsync(NewService("a1", max: 5), Stop), Stop)));

        Assert.Equal(5, registered.Count(one => one.Holder is not null));
        Assert.All(registered.Where(one => one.Holder is null), one => Assert.Equal(RegistrationRefusal.TooManyOfApp, one.Refusal));
        Assert.Equal(5, (await RowsAsync(db)).Count(row => row.App == "a1"));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task What_leaves_in_the_same_registration_makes_room_and_what_does_not_makes_none(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var former = NewService("a1", max: 1);
        var neighbour = NewService("a2");
        await RegisterAsync(db, former);
        await RegisterAsync(db, neighbour);

        var liar = await db.Services.RegisterServiceAsync(NewService("a1", max: 1) with { Former = new OwnRow(former.Row.Incarnation, "a1", neighbour.SecretHash) }, Stop);
        var foreign = await db.Services.RegisterServiceAsync(NewService("a1", max: 1) with { Former = Own(neighbour) }, Stop);
        var heir = await db.Services.RegisterServiceAsync(NewService("a1", max: 1) with { Former = Own(former) }, Stop);

        Assert.Equal((RegistrationRefusal.TooManyOfApp, RegistrationRefusal.TooManyOfApp, null), (liar.Refusal, foreign.Refusal, heir.Refusal));
        Assert.Equal(["a1", "a2"], (await RowsAsync(db)).Select(row => row.App).Order());
        Assert.Contains(neighbour.Row, await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_service_renews_through_a_silo_from_the_head_that_it_was_given(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var service = NewService("a1");

        var cursor = (await db.Services.RegisterServiceAsync(service, Stop)).Holder!.Cursor;
        var renewed = await db.Holders.RenewAsync(new HolderRenewal(null, cursor, [Own(service)]), Stop);

        Assert.Empty(renewed.Lost);
        Assert.Empty(renewed.Entries);
        Assert.Equal([service.Row with { Counter = 1 }], await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_silo_that_the_reaper_took_for_dead_does_not_renew_the_row_that_a_stranger_made_of_its_id(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var silo = NewSilo();
        var cursor = (await db.Holders.RegisterAsync(silo, Stop)).Cursor;
        Assert.True(await db.Registry.RemoveAsync(silo.Incarnation, 0, Stop));
        var stranger = NewService("a1");
        stranger = stranger with { Row = stranger.Row with { Incarnation = silo.Incarnation } };
        Assert.NotNull((await db.Services.RegisterServiceAsync(stranger, Stop)).Holder);

        var renewed = await db.Holders.RenewAsync(new HolderRenewal(silo.Incarnation, cursor, []), Stop);

        Assert.Equal([silo.Incarnation], renewed.Lost);
        Assert.Equal([stranger.Row], await RowsAsync(db));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task A_service_that_the_reaper_took_for_dead_does_not_renew_the_row_that_a_stranger_made_of_its_id(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var service = NewService("a1");
        var cursor = (await db.Services.RegisterServiceAsync(service, Stop)).Holder!.Cursor;
        Assert.True(await db.Registry.RemoveAsync(service.Row.Incarnation, 0, Stop));
        var stranger = NewService("a2");
        stranger = stranger with { Row = stranger.Row with { Incarnation = service.Row.Incarnation } };
        Assert.NotNull((await db.Services.RegisterServiceAsync(stranger, Stop)).Holder);

        var renewed = await db.Holders.RenewAsync(new HolderRenewal(null, cursor, [Own(service)]), Stop);

        Assert.Equal([service.Row.Incarnation], renewed.Lost);
        Assert.Equal([stranger.Row], await RowsAsync(db));
    }

    internal static ServiceRegistration NewService(string app, int max = 100) => new(
        new HolderRow
        {
            Incarnation = Guid.NewGuid(),
            Kind = HolderKind.Service,
            App = app,
            Name = "service",
            Address = "127.0.0.1:1@2",
            Lease = TimeSpan.FromSeconds(10),
        },
        HolderSecret.HashOf(HolderSecret.Create()),
        null,
        max);

    private static HolderRow NewSilo() => new()
    {
        Incarnation = Guid.NewGuid(),
        Kind = HolderKind.Silo,
        Name = "silo",
        Address = "127.0.0.1:1@2",
        Lease = TimeSpan.FromSeconds(10),
    };

    private static OwnRow Own(ServiceRegistration service) => new(service.Row.Incarnation, service.Row.App!, service.SecretHash);

    private static Guid Id(HolderRow row) => row.Incarnation;

    private static async Task RegisterAsync(TestStore db, ServiceRegistration service) =>
        Assert.NotNull((await db.Services.RegisterServiceAsync(service, Stop)).Holder);

    private static async Task<IReadOnlyList<HolderRow>> RowsAsync(TestStore db) => [.. (await db.Registry.ListAsync(Stop)).OrderBy(Id)];
}
