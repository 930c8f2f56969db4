using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.GrainDoors;
using Grid.GrainDoors.Tunnels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Grid.GrainClient.Tests;

/// <summary>Who is let in by the gateway, and to what.</summary>
public sealed class DoorTests(CoreHost core)
{
    private const string Key = "a-key-that-the-app-takes-01";
    private const string OtherKey = "a-key-that-another-app-takes";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> GrainInterfaces => [.. Inner().Select(type => type.FullName!)];

    [Theory, MemberData(nameof(GrainInterfaces))]
    public async Task No_grain_but_the_doors_takes_a_call_from_outside_the_cluster(string name)
    {
        using var application = await GivenClientTests.StartAsync(core);
        var grains = application.Services.GetRequiredService<IClusterClient>();
        var type = Inner().Single(type => type.FullName == name);
        var grain = typeof(IGrainWithIntegerKey).IsAssignableFrom(type) ? grains.GetGrain(type, 0L) : grains.GetGrain(type, type.Name switch
        {
            "ISessionGrain" => $"public/{Guid.NewGuid()}",
            "IUserGrain" => "public/public/u",
            "ITenantGrain" => "public/public",
            _ => "public",
        });
        var methods = type.GetInterfaces().Where(parent => !parent.Namespace!.StartsWith("Orleans", StringComparison.Ordinal)).Prepend(type).SelectMany(parent => parent.GetMethods()).ToList();

        Assert.NotEmpty(methods);
        foreach (var method in methods)
        {
            object?[] nothing = [.. method.GetParameters().Select(parameter => parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null)];
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => method.Invoke(grain, nothing) switch
            {
                Task task => task,
                ValueTask task => task.AsTask(),
                var other => throw new InvalidOperationException($"{method} returns {other}."),
            });
        }

        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task What_is_larger_than_any_door_takes_is_not_even_read_and_the_service_is_told_before_it_sends_it()
    {
        await using var worker = await Worker.StartAsync(core, await CreateAppAsync(new { }));
        var large = $"{{\"a\":\"{new string('x', 17 * 1024 * 1024)}\"}}";

        var failure = await Assert.ThrowsAsync<GridException>(() => worker.Sessions.CreateAsync(new SessionDraft { UserId = "u", PayloadJson = large }, Stop));

        Assert.Equal(GridFailure.Refused, failure.Reason);

        // Somebody without a key who sends it all the same gets no answer, of which key there is no word either.
        using var application = await GivenClientTests.StartAsync(core);
        var door = application.Services.GetRequiredService<IClusterClient>().GetGrain<ISessionDoor>(Orleans.Runtime.GrainId.Create(DoorNames.Sessions, DoorNames.Key));
        await Assert.ThrowsAnyAsync<Exception>(() => door.CreateAsync(new SessionDraft { UserId = "u", PayloadJson = large }).WaitAsync(TimeSpan.FromMinutes(2), Stop));

        // Others go on.
        Assert.NotEmpty((await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop)).Handle);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task An_app_with_keys_takes_only_these_and_the_refusal_does_not_repeat_what_was_tried()
    {
        core.Log.Guard(Key, OtherKey);
        var (app, other) = (await CreateAppAsync(new { api_keys = Key }), await CreateAppAsync(new { api_keys = OtherKey }));
        await using var right = await Worker.StartAsync(core, app, Key, Key, OtherKey);
        var made = await right.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        Assert.Equal([made.Handle], (await right.Sessions.RevokeAsync(made.Handle, Stop)).Handles);
        Assert.Contains(core.Log.Lines, line => line.Id == 3300 && line.Text.Contains(made.Handle, StringComparison.Ordinal) && line.Text.Contains("by key ", StringComparison.Ordinal));

        foreach (var (wrongApp, wrongKey) in ((string, string?)[])[(app, null), (app, OtherKey), (other, Key), (app, ""), ("no-such-app", null)])
        {
            await using var wrong = await Worker.StartAsync(core, wrongApp, wrongKey, Key, OtherKey);
            foreach (var call in EachCall(wrong.Sessions, made))
            {
                var refusal = await Assert.ThrowsAsync<GridException>(call);
                Assert.Equal(GridFailure.Refused, refusal.Reason);
                Assert.Contains(wrongApp == "no-such-app" ? "There is no app 'no-such-app'" : "Invalid API key", refusal.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(wrongKey is { Length: > 0 } ? wrongKey : Key, refusal.ToString(), StringComparison.Ordinal);
            }

            Assert.Empty(wrong.Log.Leaks);
        }

        // Beyond twenty a minute whoever guesses is told to wait; who has a key is not.
        await using var guesser = await Worker.StartAsync(core, app, "wrong");
        var guesses = 0;
        string said;
        do
        {
            said = (await Assert.ThrowsAsync<GridException>(() => guesser.Sessions.ListAsync("u", null, Stop))).Message;
        }
        while (!said.Contains("please wait", StringComparison.Ordinal) && ++guesses < 200);

        Assert.Contains("please wait", said, StringComparison.Ordinal);
        Assert.Empty(await right.Sessions.ListAsync("u", null, Stop));
        Assert.Empty(right.Log.Leaks);
        Assert.Empty(core.Log.Leaks);
    }

    [Fact]
    public async Task A_tenant_that_the_app_has_not_is_named_in_the_refusal()
    {
        var app = await CreateAppAsync(new { });
        await core.SendAsync("PUT", $"/appid-{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var worker = await Worker.StartAsync(core, app);
        var made = await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "t1" }, Stop);

        Assert.Equal("t1", made.TenantId);
        Assert.Equal([made.Handle], await worker.Sessions.ListAsync("u", "t1", Stop));
        Assert.Empty(await worker.Sessions.ListAsync("u", "public", Stop));
        foreach (var call in (Func<Task>[])
        [
            () => worker.Sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "t2" }, Stop), () => worker.Sessions.ListAsync("u", "t2", Stop),
            () => worker.Sessions.RevokeUserAsync("u", "t2", null, Stop), () => worker.Sessions.RevokeAsync($"{Guid.NewGuid()}_t2", Stop),
        ])
        {
            var refusal = await Assert.ThrowsAsync<GridException>(call);
            Assert.Equal((GridFailure.Refused, $"The app '{app}' has no tenant 't2'"), (refusal.Reason, refusal.Message));
        }

        Assert.Equal([made.Handle], (await worker.Sessions.RevokeUserAsync("u", "t1", null, Stop)).Handles);
    }

    [Theory]
    [InlineData("ip_allow_regex")]
    [InlineData("ip_deny_regex")]
    public async Task Address_rules_that_nobody_can_judge_at_the_gateway_keep_everybody_out(string rule)
    {
        var rules = new Dictionary<string, string> { [rule] = rule == "ip_allow_regex" ? "127.*|::1" : "10.*" };
        var app = await CreateAppAsync(rules);
        await using var worker = await Worker.StartAsync(core, app);
        Assert.Contains("address rules", (await Assert.ThrowsAsync<GridException>(() => worker.Sessions.ListAsync("u", null, Stop))).Message, StringComparison.Ordinal);

        var open = await CreateAppAsync(new { });
        await core.SendAsync("PUT", $"/appid-{open}/recipe/multitenancy/tenant/v2", new { tenantId = "t1", coreConfig = rules });
        await using var other = await Worker.StartAsync(core, open);
        await other.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        Assert.Contains("address rules", (await Assert.ThrowsAsync<GridException>(() => other.Sessions.ListAsync("u", "t1", Stop))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("u", "[]", "The payload")]
    [InlineData("u", "", "The payload")]
    [InlineData("u", """{"a":1,"a":2}""", "The payload")]
    [InlineData("u", """{"a":"\u0000"}""", "The payload")]
    [InlineData("u\0", "{}", "user id")]
    [InlineData("u\\ud800", "{}", "UserId")]
    [InlineData("u", "{\"a\":\"\\ud800\"}", "PayloadJson")]
    public async Task What_cannot_be_stored_is_refused_by_name(string user, string payload, string named)
    {
        // Half a character does not come through a test's arguments as it is, nor through Orleans.
        (user, payload) = (user.Replace("\\ud800", "\ud800", StringComparison.Ordinal), payload.Replace("\\ud800", "\ud800", StringComparison.Ordinal));
        await using var worker = await Worker.StartAsync(core);

        var refusal = await Assert.ThrowsAsync<GridException>(() => worker.Sessions.CreateAsync(new SessionDraft { UserId = user, PayloadJson = payload }, Stop));

        Assert.Equal(GridFailure.Refused, refusal.Reason);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_leaves_everything_out_gets_values_back_and_no_exceptions()
    {
        using var application = await GivenClientTests.StartAsync(core);
        var grains = application.Services.GetRequiredService<IClusterClient>();
        var sessions = grains.GetGrain<ISessionDoor>(GrainId.Create(DoorNames.Sessions, DoorNames.Key));
        Assert.Equal(DoorOutcome.Refused, (await sessions.FindAsync("x")).Outcome);

        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = null! });
        Assert.Equal(DoorOutcome.Refused, (await sessions.FindAsync("x")).Outcome);
        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = "public" });
        Assert.Equal(DoorOutcome.Refused, (await sessions.CreateAsync(new SessionDraft { UserId = null!, TenantId = "public", PayloadJson = "{}", DataJson = "{}" })).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = null!, PayloadJson = "{}", DataJson = "{}" })).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "public", PayloadJson = null!, DataJson = "{}" })).Outcome);
        Assert.Equal(SessionVerdict.TryRefresh, (await sessions.VerifyAsync(new TokenToCheck(null!, false, null, true))).Value.Verdict);
        Assert.Equal(SessionVerdict.Unauthorised, (await sessions.RefreshAsync(new TokenToRefresh(null!, false, null, true))).Value!.Verdict);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh("x", false, null, true) { Others = new string[8] })).Outcome);
        Assert.Equal(SessionVerdict.Unauthorised, (await sessions.RefreshAsync(new TokenToRefresh("x", false, null, true) { Others = new string[3] })).Value!.Verdict);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh("x", false, null, true) { JoinWithin = TimeSpan.FromMinutes(1) })).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh("x", false, null, true) { MaxAccessTokenLength = -1 })).Outcome);
        Assert.Equal((DoorOutcome.Refused, "The session's draft is missing"), (await sessions.CreateAsync(null!)) is var none ? (none.Outcome, none.Message) : default);
        Assert.Null((await sessions.FindAsync(null!)).Value);
        Assert.Empty((await sessions.RevokeAsync(null!, (GridRevocationReason)99)).Value!.Handles);
        Assert.Empty((await sessions.RevokeAsync([null!], GridRevocationReason.Requested)).Value!.Handles);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RevokeTenantAsync(null!)).Outcome);
        var (users, holders, keys) = (Door<IUserDoor>(grains, DoorNames.Users), Door<IHolderDoor>(grains, DoorNames.Holders), Door<IKeyDoor>(grains, DoorNames.Keys));
        Assert.Equal(DoorOutcome.Refused, (await users.ListAsync(null!, null)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await users.RevokeAsync(null!, null, null)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await holders.CloseAsync(null!)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await holders.ReceiveAsync(null!, 1)).Outcome);
        Assert.False((await sessions.UpdateAsync(null!, null, null)).Value);
        Assert.Null((await sessions.RegenerateAsync(null!, "{}")).Value);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RegenerateAsync(null!, null!)).Outcome);
        Assert.Equal(DoorOutcome.Done, (await keys.ReadAsync()).Outcome);
        RequestContext.Clear();
    }

    [Fact]
    public async Task What_is_larger_than_the_core_API_would_take_is_refused_before_it_is_looked_at()
    {
        using var application = await GivenClientTests.StartAsync(core);
        var sessions = Door<ISessionDoor>(application.Services.GetRequiredService<IClusterClient>(), DoorNames.Sessions);
        var large = new string('x', (64 * 1024) + 1);
        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = "public" });

        var token = await sessions.VerifyAsync(new TokenToCheck(large, false, null, true));
        Assert.Equal((DoorOutcome.Refused, "The access token may have 65536 characters"), (token.Outcome, token.Message));
        Assert.Equal(DoorOutcome.Refused, (await sessions.VerifyAsync(new TokenToCheck("x", true, large, true))).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh(large, false, null, true))).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh("x", true, large, true))).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RefreshAsync(new TokenToRefresh("x", false, null, true) { Others = [large] })).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RegenerateAsync(large, "{}")).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await sessions.RevokeAsync(new string[30_000], GridRevocationReason.Requested)).Outcome);
        Assert.Empty((await sessions.RevokeAsync(new string[20_000], GridRevocationReason.Requested)).Value!.Handles);
        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = "public", ApiKey = large });
        Assert.Equal(DoorOutcome.WrongKey, (await sessions.FindAsync("x")).Outcome);
        RequestContext.Clear();
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task A_handle_whose_tenant_was_removed_is_no_session()
    {
        var app = await CreateAppAsync(new { });
        await core.SendAsync("PUT", $"/appid-{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var worker = await Worker.StartAsync(core, app);
        var made = await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "t1" }, Stop);
        Assert.NotNull(await worker.Sessions.FindAsync(made.Handle, Stop));
        Assert.Equal("OK", (await core.PostAsync($"/appid-{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Word);

        foreach (var handle in (string[])[made.Handle, $"{Guid.NewGuid()}_t2"])
        {
            Assert.Null(await worker.Sessions.FindAsync(handle, Stop));
            Assert.False(await worker.Sessions.UpdateDataAsync(handle, "{}", Stop));
            Assert.False(await worker.Sessions.UpdatePayloadAsync(handle, "{}", Stop));
        }
    }

    [Fact]
    public void Sessions_that_would_not_be_used_are_an_error_and_who_comes_later_takes_those_that_are_there()
    {
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddGridClient().AddGridGrainClient(grid => grid.Gateways.Add("127.0.0.1:1")));
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddGridClient().AddOrleansClient(client => client.UseGrid(_ => { })));
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection()
            .AddGridGrainClient(grid => grid.Gateways.Add("127.0.0.1:1")).AddOrleansClient(client => client.UseGrid(_ => { })));

        var services = new ServiceCollection().AddGridGrainClient(_ => { }).AddGridGrainClient(_ => { }).AddGridClient();

        Assert.Single(services, service => service.ServiceType == typeof(IGridSessions));
        Assert.DoesNotContain(services, service => service.ServiceType.Name == "CoreApiSessions");
    }

    [Fact]
    public async Task What_an_application_keeps_in_its_request_context_stays_there_and_the_key_does_not()
    {
        var app = await CreateAppAsync(new { });
        await using var worker = await Worker.StartAsync(core, app);
        var made = await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);

        // A holder that confirms nothing: a revocation waits for the end of its lease, and asks for signs of life
        // meanwhile (unless the machine is so slow that the lease is over by then).
        using var application = await GivenClientTests.StartAsync(core);
        var silent = Door<IHolderDoor>(application.Services.GetRequiredService<IClusterClient>(), DoorNames.Holders);
        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = app });
        var opened = (await silent.OpenAsync()).Value!;
        await silent.SendAsync(opened, 1, System.Text.Encoding.UTF8.GetBytes($$"""{"type":"register","n":1,"incarnation":"{{Guid.NewGuid()}}","name":"n"}"""));
        await HolderTests.RegisteredAsync(silent, opened);
        RequestContext.Clear();
        RequestContext.Set("mine", new Unserializable());

        await worker.Sessions.ListAsync("u", null, Stop);
        var revoked = await worker.Sessions.RevokeAsync(made.Handle, Stop);

        Assert.Equal([made.Handle], revoked.Handles);

        Assert.IsType<Unserializable>(RequestContext.Get("mine"));
        Assert.Null(RequestContext.Get(DoorCaller.Key));
        RequestContext.Clear();
    }

    [Fact]
    public async Task A_tenant_is_ended_with_a_receipt()
    {
        var app = await CreateAppAsync(new { });
        await core.SendAsync("PUT", $"/appid-{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var worker = await Worker.StartAsync(core, app);
        var (ended, kept) = (await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u", TenantId = "t1" }, Stop), await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop));
        using var application = await GivenClientTests.StartAsync(core);
        RequestContext.Set(DoorCaller.Key, new DoorCaller { App = app });

        var answer = await application.Services.GetRequiredService<IClusterClient>().GetGrain<ISessionDoor>(GrainId.Create(DoorNames.Sessions, DoorNames.Key)).RevokeTenantAsync("t1");

        RequestContext.Clear();
        Assert.Equal((DoorOutcome.Done, true), (answer.Outcome, answer.Value!.Receipt.Confirmed > 0));
        Assert.Null(await worker.Sessions.FindAsync(ended.Handle, Stop));
        Assert.NotNull(await worker.Sessions.FindAsync(kept.Handle, Stop));
    }

    private static IEnumerable<Func<Task>> EachCall(IGridSessions sessions, CreatedSession made) =>
    [
        () => sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop), async () => await sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop),
        () => sessions.RefreshAsync(new TokenToRefresh(made.Tokens.Refresh.Text, false, null, true), Stop), () => sessions.RegenerateAsync(made.Tokens.Access.Text, "{}", Stop),
        async () => await sessions.FindAsync(made.Handle, Stop), () => sessions.ListAsync("u", null, Stop), () => sessions.UpdateDataAsync(made.Handle, "{}", Stop),
        () => sessions.UpdatePayloadAsync(made.Handle, "{}", Stop), () => sessions.RevokeAsync(made.Handle, Stop), () => sessions.RevokeUserAsync("u", null, null, Stop),
        async () => await sessions.ReadKeysAsync(Stop),
    ];

    private static T Door<T>(IGrainFactory grains, string name)
        where T : IGrainDoor => grains.GetGrain<T>(GrainId.Create(name, DoorNames.Key));

    private static IEnumerable<Type> Inner() => new[] { typeof(ISessionGrain).Assembly, typeof(Grid.Grains.GridGrains).Assembly, typeof(Grid.WebFront.Core.GridCore).Assembly }
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.IsInterface && typeof(IGrain).IsAssignableFrom(type) && type.GetMethods().Length > 0);

    private async Task<string> CreateAppAsync(object coreConfig) => (await core.CreateAppAsync(coreConfig))["/appid-".Length..];

    private sealed class Unserializable;
}
