using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.Tests;

/// <summary>Where Grid is: what cannot be right is said at the start, and the ways there can be furnished.</summary>
public sealed class ConnectionTests(CoreHost core)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("localhost:3567", "http://localhost:3567")]
    [InlineData("127.0.0.1:3567", "http://127.0.0.1:3567")]
    [InlineData("grid", "http://grid")]
    [InlineData("/var/run/grid", "http://127.0.0.1:3567")]
    [InlineData("ftp://grid:3567", "http://127.0.0.1:3567")]
    [InlineData("Host=db;Username=grid", "http://127.0.0.1:3567")]
    [InlineData("http://grid:3567?api-key=k", "ApiKey")]
    [InlineData("http://user:secret@grid:3567", "ApiKey")]
    [InlineData("http://grid:3567#x", "ApiKey")]
    public async Task An_address_that_is_none_of_a_core_api_is_refused_at_the_start_with_the_repair(string address, string repair)
    {
        foreach (var viaConfiguration in (bool[])[false, true])
        {
            var worker = Host.CreateEmptyApplicationBuilder(null);
            var service = WebApplication.CreateSlimBuilder();
            foreach (var builder in (IHostApplicationBuilder[])[worker, service])
            {
                builder.Logging.ClearProviders();
                if (viaConfiguration)
                {
                    builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Grid", address)]);
                }
            }

            var uri = viaConfiguration ? null : new Uri(address, UriKind.RelativeOrAbsolute);
            worker.Services.AddGridClient(grid => grid.ConnectionUri = uri);
            service.Services.AddAuthentication().AddGrid(grid => grid.ConnectionUri = uri);
            using var host = worker.Build();
            await using var app = service.Build();
            foreach (var start in (Func<Task>[])[() => host.StartAsync(Stop), () => app.StartAsync(Stop)])
            {
                var refusal = await Assert.ThrowsAsync<OptionsValidationException>(start);
                Assert.Contains("ConnectionUri", refusal.Message, StringComparison.Ordinal);
                Assert.Contains(repair, refusal.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task The_fronts_port_in_place_of_the_cores_is_said_at_the_start()
    {
        var lines = await StartAsync(grid => grid.ConnectionUri = core.FrontUrl, 4103);

        Assert.Contains("3567", Assert.Single(lines).Text, StringComparison.Ordinal);
        Assert.Contains("front", lines[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_the_core_refuses_is_said_at_the_start()
    {
        var app = await core.CreateAppAsync(new { api_keys = "right-key-0123456789012345" });

        var lines = await StartAsync(grid => (grid.ConnectionUri, grid.ApiKey) = (new Uri(core.Url, app), "wrong"), 4103);

        Assert.Contains("ApiKey", Assert.Single(lines).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_does_not_exist_is_said_at_the_start() =>
        Assert.Single(await StartAsync(grid => grid.ConnectionUri = new Uri(core.Url, "/appid-nowhere"), 4103));

    [Fact]
    public async Task Nothing_is_said_of_a_core_that_is_right_or_not_there_yet()
    {
        Assert.Empty(await StartAsync(grid => grid.ConnectionUri = core.Url, 0));
        Assert.Empty(await StartAsync(grid => grid.ConnectionUri = new Uri("http://127.0.0.1:1"), 0));
    }

    [Fact]
    public async Task What_is_added_to_the_named_client_sees_every_call()
    {
        var seen = new Seen();
        await using var provider = new ServiceCollection().AddLogging().AddGridClient(grid => grid.ConnectionUri = core.Url)
            .AddHttpClient(GridClientDefaults.HttpClientName).AddHttpMessageHandler(() => new Watching(seen)).Services.BuildServiceProvider();
        var sessions = provider.GetRequiredService<IGridSessions>();

        var made = await sessions.CreateAsync(new SessionDraft { UserId = "seen" }, Stop);
        await sessions.RevokeAsync(made.Handle, Stop);
        await sessions.ReadKeysAsync(Stop);

        // A revocation that takes a while asks in between whether Grid is still there.
        Assert.Equal(["POST /recipe/session", "POST /session/revoke", "GET /.well-known/jwks.json"], seen.Calls.Where(call => call != "GET /hello"));
    }

    [Fact]
    public async Task The_web_socket_is_furnished_for_each_attempt()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var attempts = 0;
        await using var app = await ClientApp.StartAsync(core, grid => grid.ConfigureWebSocket = socket =>
        {
            Interlocked.Increment(ref attempts);
            socket.SetRequestHeader("X-From", "test");
        });
        using var browser = app.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={user}");

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        Assert.NotEqual(0, attempts);
    }

    [Fact]
    public async Task What_AddGridClient_was_told_holds_beside_AddGrid_unless_that_says_otherwise()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddGridClient(client => (client.ConnectionUri, client.ApiKey, client.Timeout) = (new Uri("http://a:3567"), "key-a", TimeSpan.FromSeconds(3)));
        services.AddAuthentication().AddGrid(grid => (grid.ApiKey, grid.RevocationTimeout) = ("key-b", TimeSpan.FromSeconds(33)));
        await using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<GridClientOptions>>().Value;

        Assert.Equal(
            ("http://a:3567/", "key-b", TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(33)), (options.ConnectionUri!.ToString(), options.ApiKey, options.Timeout, options.RevocationTimeout));
    }

    private static async Task<List<(int Id, string Text)>> StartAsync(Action<GridClientOptions> configure, int wanted)
    {
        var log = new CapturedLog();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        builder.Services.AddGridClient(configure);
        using var host = builder.Build();
        await host.StartAsync(Stop);
        while (wanted != 0 && log.Count(wanted) == 0)
        {
            await Task.Delay(10, Stop);
        }

        // Waits for the question.
        await host.Services.GetServices<IHostedService>().OfType<CoreApi.CoreApiCheck>().Single().Asked;
        await host.StopAsync(Stop);
        return [.. log.Lines];
    }

    private sealed class Seen
    {
        public List<string> Calls { get; } = [];
    }

    private sealed class Watching(Seen seen) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            seen.Calls.Add($"{request.Method} {request.RequestUri!.AbsolutePath}");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
