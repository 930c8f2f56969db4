using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.Client.Live;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.Client.Tests;

/// <summary>A service and a silo of different versions: neighbours work together, and of others both sides say who is to be upgraded.</summary>
public sealed class ProtocolVersionTests(CoreHost core)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HolderProtocol.Oldest - 1, "earlier", "upgrade the service")]
    [InlineData(HolderProtocol.Newest + 1, "later", "upgrade Grid")]
    [InlineData(int.MaxValue, "later", "upgrade Grid")]
    [InlineData(int.MinValue, "earlier", "upgrade the service")]
    public async Task A_service_that_is_too_far_away_is_refused_and_the_silo_says_so(int protocol, string which, string repair)
    {
        using var service = await ConnectAsync();
        var answer = await RegisterAsync(service, Guid.NewGuid(), protocol);

        Assert.Equal("failed", (string?)answer["type"]);
        Assert.Contains($"protocol: {protocol} ", (string?)answer["reason"], StringComparison.Ordinal);
        Assert.Contains(repair, (string?)answer["reason"], StringComparison.Ordinal);
        Assert.Contains(core.Log.Lines, line => (line.Id is 3014 or 3015) && line.Text.Contains(which, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, HolderProtocol.First)]
    [InlineData(HolderProtocol.Oldest, HolderProtocol.Oldest)]
    [InlineData(HolderProtocol.Newest, HolderProtocol.Newest)]
    public async Task A_neighbour_is_registered_with_its_own_version_and_hears_the_silos(int? protocol, int registered)
    {
        using var service = await ConnectAsync();
        var incarnation = Guid.NewGuid();
        var answer = await RegisterAsync(service, incarnation, protocol);

        Assert.Equal(("registered", HolderProtocol.Current), ((string?)answer["type"], (int)answer["protocol"]!));
        var rows = await core.Services.GetRequiredService<IHolderRegistry>().ListAsync(Stop);
        Assert.Equal(registered, Assert.Single(rows, row => row.Incarnation == incarnation).Protocol);
        await SayAsync(service, """{"type":"leave"}""");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(HolderProtocol.Oldest, null)]
    [InlineData(HolderProtocol.Newest, null)]
    [InlineData(HolderProtocol.Oldest - 1, "upgrade Grid")]
    [InlineData(HolderProtocol.Newest + 1, "upgrade them")]
    public async Task A_service_says_its_version_and_refuses_a_silo_that_is_too_far_away(int? protocol, string? repair)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var silo = builder.Build();
        var hello = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.UseWebSockets();
        silo.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            hello.TrySetResult(await HearAsync(socket));
            var version = protocol is null ? "" : $"\"protocol\":{protocol},";
            await SayAsync(socket, $$"""{"type":"registered","n":1,"secret":"s","app":"public",{{version}}"leaseMs":10000,"bounded":false,"revokedKeys":[]}""");
            await socket.ReceiveAsync(new byte[1024], Stop).ContinueWith(_ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default);
        });
        await silo.StartAsync(Stop);
        await using var store = new RemoteHolderStore(new Holder(LeaseClock.Instance), new GridOptions { ConnectionUri = new Uri(silo.Urls.Single()) });
        var registering = store.RegisterAsync(new HolderRow { Incarnation = Guid.NewGuid(), Kind = HolderKind.Service, Name = "s", Address = "", Lease = LeaseTerms.Standard.Lease }, Stop);

        if (repair is null)
        {
            await registering;
        }
        else
        {
            Assert.Contains(repair, (await Assert.ThrowsAsync<HolderRefusedException>(() => registering)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(HolderProtocol.Current, (int)(await hello.Task)["protocol"]!);
    }

    [Fact]
    public async Task A_silo_that_is_too_far_away_is_named_once_by_the_others()
    {
        await using var silo = new CoreHost();
        await silo.InitializeAsync();
        var stranger = new HolderRow { Incarnation = Guid.NewGuid(), Kind = HolderKind.Silo, Name = "stranger", Address = "192.0.2.1:1@1", Lease = TimeSpan.FromMinutes(10), Protocol = HolderProtocol.Newest + 1 };
        var holders = silo.Services.GetRequiredService<IHolderStore>();
        await holders.RegisterAsync(stranger, Stop);
        var looks = 0;
        while (silo.Log.Count(2707) == 0)
        {
            Assert.True(++looks < 1200, "Nobody notices.");
            await Task.Delay(50, Stop);
        }

        await holders.LeaveAsync(stranger.Incarnation, Stop);
        Assert.Contains($"stranger at 192.0.2.1:1@1 follows version {HolderProtocol.Newest + 1}", Assert.Single(silo.Log.Lines, line => line.Id == 2707).Text, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> RegisterAsync(ClientWebSocket service, Guid incarnation, int? protocol)
    {
        await SayAsync(service, new JsonObject { ["type"] = "register", ["n"] = 1, ["incarnation"] = incarnation.ToString(), ["name"] = "s", ["protocol"] = protocol }.ToJsonString());
        return await HearAsync(service);
    }

    private static async Task<JsonNode> HearAsync(WebSocket socket)
    {
        var piece = new byte[64 * 1024];
        var part = await socket.ReceiveAsync(piece, Stop);
        return JsonNode.Parse(piece.AsSpan(0, part.Count))!;
    }

    private static Task SayAsync(WebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Stop);

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(core.Url) { Scheme = "ws", Path = "/session/holder" }.Uri, Stop);
        return socket;
    }
}
