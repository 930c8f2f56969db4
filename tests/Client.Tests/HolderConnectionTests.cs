using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using Grid.AspNetCore;
using Grid.Client.Live;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay.Wire;
using Grid.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.Client.Tests;

/// <summary>The way between an application and Grid is broken in every way that sockets know: it comes back by itself, and stops when it is told to.</summary>
public sealed class HolderConnectionTests(CoreHost core, ITestOutputHelper output)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    public static TheoryData<Between> Obstacles => [.. Enum.GetValues<Between>().Where(between => between != Between.Nothing)];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Obstacles))]
    public async Task It_is_back_soon_after_Grid_and_says_once_that_it_was_away(Between between)
    {
        await using var cable = new TcpRelay(core.Url);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url);
        using var browser = app.NewBrowser();
        Assert.Equal(200, await MeAsync(browser, await NewTokenAsync()));

        // It is fresh a moment before it says so.
        for (var tries = 0; app.Log.Count(4100) == 0; tries++)
        {
            Assert.True(tries < 600, "It does not say that it is connected.");
            await Task.Delay(100, Stop);
        }

        Assert.Equal(1, app.Log.Count(4100));
        for (var round = 1; round <= 2; round++)
        {
            // Also what only falls silent has to be noticed.
            cable.Put(between);
            await Task.Delay(TimeSpan.FromSeconds(between is Between.Silence or Between.OpensSilently ? 4 : 1.2), Stop);
            cable.Mend();

            // Nobody knows this session yet: it takes a connection to say that it lives.
            var token = await NewTokenAsync();
            var since = Stopwatch.GetTimestamp();
            while (await MeAsync(browser, token) is var status && status != 200)
            {
                Assert.Equal(503, status);
                Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30), "It does not come back.");
                await Task.Delay(20, Stop);
            }

            output.WriteLine($"{between}: back after {Stopwatch.GetElapsedTime(since).TotalMilliseconds:F0} ms");
        }

        // One line each time that it was noticed; what is slow is not away.
        Assert.InRange(app.Log.Count(4101), 0, between == Between.Slowness ? 0 : 2);
        Assert.InRange(app.Log.Count(4100), 1 + app.Log.Count(4101), between == Between.Slowness ? 1 : 3);
    }

    [Fact]
    public async Task A_revocation_reaches_it_after_it_came_back()
    {
        await using var cable = new TcpRelay(core.Url);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url);
        using var browser = app.NewBrowser();
        var token = await NewTokenAsync();
        Assert.Equal(200, await MeAsync(browser, token));
        for (var round = 0; round < 5; round++)
        {
            cable.Put(Between.Nobody);
            await Task.Delay(100, Stop);
            cable.Mend();
            token = await NewTokenAsync();
            while (await MeAsync(browser, token) != 200)
            {
                await Task.Delay(20, Stop);
            }

            var receipt = await core.PostAsync("/session/revoke", new { userId = _user });

            // The silo and this one. Whom other tests have left behind is waited out.
            Assert.InRange((int)receipt.Json["holders"]!["confirmed"]!, 2, int.MaxValue);
            Assert.Equal(401, await MeAsync(browser, token));
        }
    }

    [Fact]
    public async Task Who_is_refused_leaves_Grid_alone_for_a_while()
    {
        await using var cable = new TcpRelay(core.Url);
        await using var store = new RemoteHolderStore(new Holder(LeaseClock.Instance), new GridOptions { ConnectionUri = cable.Url });
        cable.Put(Between.Refuses);
        Assert.Contains("as many as there may be", (await Assert.ThrowsAsync<HolderRefusedException>(() => store.RegisterAsync(Row(), Stop))).Message, StringComparison.Ordinal);
        var attempts = cable.Accepted;

        await Assert.ThrowsAsync<HolderRefusedException>(() => store.RegisterAsync(Row(), Stop));
        Assert.Equal(attempts, cable.Accepted);

        cable.Mend();
        while (true)
        {
            try
            {
                var row = Row();
                await store.RegisterAsync(row, Stop);
                await store.LeaveAsync(row.Incarnation, Stop);
                break;
            }
            catch (HolderRefusedException)
            {
                await Task.Delay(50, Stop);
            }
        }
    }

    [Fact]
    public async Task A_wrong_key_is_named_once_in_the_log()
    {
        var appId = await core.CreateAppAsync(new { api_keys = "right-key-0123456789012345" });
        var made = await core.SendAsync(
            "POST", $"{appId}/recipe/session", new { userId = _user, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }, headers: ("api-key", "right-key-0123456789012345"));
        await using var app = await ClientApp.StartAsync(core, o => (o.ConnectionUri, o.ApiKey) = (new Uri(core.Url, appId), "wrong-key"));
        using var browser = app.NewBrowser();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(503, await MeAsync(browser, (string)made.Json["accessToken"]!["token"]!));
            await Task.Delay(100, Stop);
        }

        Assert.Contains("set GridOptions.ApiKey", Assert.Single(app.Log.Lines, line => line.Id == 4101).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_names_the_app_whose_sessions_are_checked()
    {
        var appId = await core.CreateAppAsync();
        var made = await core.CreateSessionAsync(appId, _user);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = new Uri(core.Url, appId));
        using var browser = app.NewBrowser();
        while (await MeAsync(browser, (string)made["accessToken"]!["token"]!) != 200)
        {
            await Task.Delay(100, Stop);
        }

        // It is fresh a moment before it says so.
        for (var tries = 0; app.Log.Lines.All(line => line.Id != 4100); tries++)
        {
            Assert.True(tries < 1200, "It does not say that it is connected.");
            await Task.Delay(50, Stop);
        }

        var lines = app.Log.Lines.Where(line => line.Id == 4100).ToList();
        Assert.All(lines, line => Assert.Contains($"(app {appId["/appid-".Length..]})", line.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"type":"entries","n":7,"entries":[{"position":"high"}]}""")]
    [InlineData("""{"type":"entries","n":7}""")]
    [InlineData("""{"type":"entries","n":7,"entries":[null]}""")]
    public async Task Entries_that_cannot_be_read_are_not_confirmed(string entries)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var silo = builder.Build();
        var heard = new TaskCompletionSource<List<string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.UseWebSockets();
        silo.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            List<string> messages = [];
            try
            {
                var piece = new byte[4096];
                await socket.ReceiveAsync(piece, Stop);
                await SayAsync(socket, """{"type":"registered","n":1,"secret":"s","app":"public","leaseMs":10000,"bounded":false,"revokedKeys":[]}""");
                await SayAsync(socket, entries);
                while (await socket.ReceiveAsync(piece, Stop) is { MessageType: WebSocketMessageType.Text } part)
                {
                    messages.Add(Encoding.UTF8.GetString(piece, 0, part.Count));
                }
            }
            catch (WebSocketException)
            {
                // Broken off.
            }

            heard.TrySetResult(messages);
        });
        await silo.StartAsync(Stop);
        await using var store = new RemoteHolderStore(new Holder(LeaseClock.Instance), new GridOptions { ConnectionUri = new Uri(silo.Urls.Single()) });
        await store.RegisterAsync(Row(), Stop);

        Assert.DoesNotContain(await heard.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop), message => message.Contains("confirm", StringComparison.Ordinal));

        static Task SayAsync(WebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Stop);
    }

    [Fact]
    public async Task A_renewal_waits_for_no_more_looks_than_may_be_under_way()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var silo = builder.Build();
        var before = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.UseWebSockets();
        silo.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var (piece, looks) = (new byte[4096], 0);
            while (await socket.ReceiveAsync(piece, Stop) is { MessageType: WebSocketMessageType.Text } part)
            {
                if (Encoding.UTF8.GetString(piece, 0, part.Count).Contains("\"look\"", StringComparison.Ordinal))
                {
                    looks++;
                    continue;
                }

                before.TrySetResult(looks);
                break;
            }
        });
        await silo.StartAsync(Stop);
        var address = new UriBuilder(silo.Urls.Single()) { Scheme = "ws" }.Uri;
        var connection = await HolderConnection.OpenAsync(new Holder(LeaseClock.Instance), address, null, null, Stop);
        var looks = Enumerable.Range(0, 400).Select(_ => connection.LookAsync(new HolderMessage { Type = HolderMessageType.Look, Tenant = "public", Id = Guid.NewGuid() }, Stop)).ToList();
        var renewal = connection.AskAsync(new HolderMessage { Type = HolderMessageType.Renew }, Stop);

        Assert.Equal(128, await before.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop));

        // Whoever waited for a turn hears of the end too.
        await Assert.ThrowsAsync<IOException>(() => renewal);
        foreach (var look in looks)
        {
            await Assert.ThrowsAsync<IOException>(() => look.WaitAsync(TimeSpan.FromMinutes(2), Stop));
        }
    }

    [Fact]
    public async Task A_thousand_failed_attempts_leave_nothing_behind()
    {
        await using var cable = new TcpRelay(core.Url);
        var holder = new Holder(LeaseClock.Instance);
        await using var store = new RemoteHolderStore(holder, new GridOptions { ConnectionUri = cable.Url });
        var address = new UriBuilder(cable.Url) { Scheme = "ws" }.Uri;
        async Task FailAsync(Between between, int times)
        {
            cable.Put(between);
            for (var i = 0; i < times; i++)
            {
                // The store itself would rest when it is refused.
                Func<Task> attempt = between is Between.OtherServer or Between.BadGateway
                    ? () => HolderConnection.OpenAsync(holder, address, null, null, Stop)
                    : () => store.RegisterAsync(Row(), Stop);
                await Assert.ThrowsAnyAsync<Exception>(attempt);
                await Assert.ThrowsAnyAsync<Exception>(async () => await store.LookAsync(new SessionName("public", "public", Guid.NewGuid()), Stop));
            }
        }

        // Those that fail at once; the others are tried above.
        Between[] quick = [Between.Nobody, Between.Closes, Between.Garbage, Between.OtherServer, Between.BadGateway, Between.OpensAndCloses, Between.OpensAndSendsGarbage, Between.OpensAndSendsOtherMessages];
        foreach (var between in quick)
        {
            await FailAsync(between, 10);
        }

        var before = Used();
        foreach (var between in quick)
        {
            await FailAsync(between, 125);
        }

        await FailAsync(Between.Silence, 2);
        await FailAsync(Between.OpensSilently, 2);
        cable.Put(Between.Closes);
        for (var tries = 0; Used().Files > before.Files + 20 && tries < 100; tries++)
        {
            await Task.Delay(100, Stop);
        }

        var after = Used();
        output.WriteLine($"{before} before, {after} after");
        Assert.InRange(after.Files, 0, before.Files + 20);
        Assert.InRange(after.Threads, 0, before.Threads + 20);
        Assert.InRange(after.Memory, 0, before.Memory + (4 * 1024 * 1024));

        // And the one after these is as good as the first.
        cable.Mend();
        var row = Row();
        var registered = await store.RegisterAsync(row, Stop);
        Assert.Empty((await store.RenewAsync(new HolderRenewal(row.Incarnation, registered.Cursor, []), Stop)).Lost);
        await store.LeaveAsync(row.Incarnation, Stop);
    }

    [Theory, MemberData(nameof(Obstacles))]
    public async Task An_application_stops_cleanly_while_it_tries_to_come_back(Between between)
    {
        await using var cable = new TcpRelay(core.Url);
        var other = new Other();
        await using (var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url, services: services => services.AddSingleton(_ => other)))
        {
            using var browser = app.NewBrowser();
            Assert.Equal(200, await MeAsync(browser, await NewTokenAsync()));
            app.Find<Other>();
            cable.Put(between);
            await Task.Delay(700, Stop);

            // A look that waits for its answer while the application stops.
            var waiting = MeAsync(browser, await NewTokenAsync());
            await Task.Delay(50, Stop);
            await app.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);
            Assert.Contains(await waiting, new[] { 200, 503 });
        }

        Assert.True(other.IsDisposed);
    }

    [Theory, MemberData(nameof(Obstacles))]
    public async Task An_application_that_never_met_Grid_stops_cleanly(Between between)
    {
        await using var cable = new TcpRelay(core.Url);
        cable.Put(between);
        await using var app = await ClientApp.StartAsync(core, o =>
        {
            o.ConnectionUri = cable.Url;
            o.Timeout = TimeSpan.FromSeconds(2);
        });
        using var watch = app.Sessions.Watch(Guid.NewGuid().ToString());
        await Task.Delay(300, Stop);

        await app.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);

        Assert.InRange(app.Log.Count(4101), 0, 1);
    }

    [Fact]
    public async Task Many_first_requests_wait_for_a_silent_Grid_together_and_not_one_after_the_other()
    {
        await using var cable = new TcpRelay(core.Url);
        cable.Put(Between.Silence);
        await using var app = await ClientApp.StartAsync(core, o => (o.ConnectionUri, o.Timeout) = (cable.Url, TimeSpan.FromSeconds(2)));
        using var browser = app.NewBrowser();
        var token = await NewTokenAsync();

        // Thirty times two seconds, one after the other.
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => MeAsync(browser, token))).WaitAsync(TimeSpan.FromMinutes(2), Stop);

        Assert.All(answers, status => Assert.Equal(503, status));
    }

    [Fact]
    public async Task Impatient_callers_do_not_keep_an_application_from_getting_ready()
    {
        await using var cable = new TcpRelay(core.Url);
        cable.Put(Between.Slowness);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url);
        using var http = new HttpClient { BaseAddress = app.Url };
        var token = await NewTokenAsync();
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            // Less than it takes to fetch the keys: with each of these calls the application's own call would end.
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(150));
            using var request = new HttpRequestMessage(HttpMethod.Get, "/me") { Headers = { { "Authorization", $"Bearer {token.Access}" } } };
            try
            {
                using var answer = await http.SendAsync(request, patience.Token);
                if (answer.IsSuccessStatusCode)
                {
                    break;
                }
            }
            catch (OperationCanceledException)
            {
                Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30), "It does not get ready.");
            }
        }
    }

    [Fact]
    public async Task Only_who_checks_a_token_or_watches_a_session_is_a_holder()
    {
        // Those of other tests that were broken off are waited out here, until their rows have gone.
        while ((int)(await core.PostAsync("/session/revoke", new { sessionHandles = new[] { Guid.NewGuid().ToString() } })).Json["holders"]!["waitedOut"]! > 0)
        {
            await Task.Delay(200, Stop);
        }

        var without = await HoldersAsync();
        await using var app = await ClientApp.StartAsync(core);
        await using var careless = await ClientApp.StartAsync(core, o => o.CheckEachRequest = false);
        foreach (var sessions in (IGridSessions[])[app.Sessions, careless.Sessions])
        {
            var made = await sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
            Assert.Single(await sessions.ListAsync(_user, null, Stop));
            Assert.NotNull(await sessions.FindAsync(made.Handle, Stop));
            Assert.Equal([made.Handle], (await sessions.RevokeAsync(made.Handle, Stop)).Handles);
        }

        using var browser = app.NewBrowser();
        using var stranger = careless.NewBrowser();
        Assert.Equal(401, await MeAsync(browser, "not.a.token"));
        Assert.Equal(401, (await browser.GetAsync("/me")).Status);
        Assert.Equal(without, await HoldersAsync());

        Assert.Equal(200, await MeAsync(browser, await NewTokenAsync()));
        Assert.Equal(without + 1, await HoldersAsync());
        Assert.Equal(200, await MeAsync(stranger, await NewTokenAsync()));
        Assert.Equal(without + 2, await HoldersAsync());

        await using var watching = await ClientApp.StartAsync(core);
        using var watch = watching.Sessions.Watch((string)(await core.CreateSessionAsync(userId: _user))["session"]!["handle"]!);
        while (await HoldersAsync() < without + 3)
        {
            await Task.Delay(20, Stop);
        }
    }

    [Fact]
    public async Task A_watch_that_was_there_before_the_first_connection_hears_of_the_end()
    {
        await using var cable = new TcpRelay(core.Url);
        cable.Put(Between.Nobody);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url);
        var token = await NewTokenAsync();
        using var watch = app.Sessions.Watch(token.Handle);
        cable.Mend();
        using var browser = app.NewBrowser();
        while (await MeAsync(browser, token) != 200)
        {
            await Task.Delay(20, Stop);
        }

        Assert.False(watch.Ended.IsCancellationRequested);
        await core.PostAsync("/session/revoke", new { userId = _user });

        await Task.Delay(Timeout.Infinite, watch.Ended).ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromMinutes(2), Stop);
    }

    private static HolderRow Row() => new() { Incarnation = Guid.NewGuid(), Kind = HolderKind.Service, Name = "test", Address = "", Lease = LeaseTerms.Standard.Lease };

    private static async Task<int> MeAsync(TestBrowser browser, Token token) => (await browser.SendAsync("GET", "/me", bearer: token.Access)).Status;

    private static (int Files, int Threads, long Memory) Used()
    {
        using var self = Process.GetCurrentProcess();
        return (Directory.GetFiles("/proc/self/fd").Length, self.Threads.Count, GC.GetTotalMemory(forceFullCollection: true));
    }

    // Of a revocation that ends nothing and waits for everybody all the same.
    private async Task<int> HoldersAsync()
    {
        var receipt = await core.PostAsync("/session/revoke", new { sessionHandles = new[] { Guid.NewGuid().ToString() } });
        Assert.Equal(0, (int)receipt.Json["holders"]!["waitedOut"]!);
        return (int)receipt.Json["holders"]!["confirmed"]!;
    }

    private async Task<Token> NewTokenAsync()
    {
        var made = await core.CreateSessionAsync(userId: _user);
        return new Token((string)made["session"]!["handle"]!, (string)made["accessToken"]!["token"]!);
    }

    private sealed record Token(string Handle, string Access)
    {
        public static implicit operator Token(string access) => new("", access);
    }

    private sealed class Other : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
