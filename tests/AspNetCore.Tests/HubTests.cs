using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>A real SignalR hub behind <c>AddGrid()</c>, its protocol spoken by hand: it closes when the token expires, and when the session ends.</summary>
public sealed class HubTests(CoreHost core)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_connection_closes_when_its_access_token_expires()
    {
        // SignalR looks at the real clock, once a second; that of the shared core may be hours ahead of it.
        await using var real = new CoreHost();
        await real.InitializeAsync();
        var prefix = await real.CreateAppAsync(new { access_token_validity = 3 });
        await real.HeardOfAppsAsync();
        await using var app = await StartAsync(real, prefix);
        using var socket = await ConnectAsync(app);

        await UntilClosedAsync(socket);
    }

    [Fact]
    public async Task A_connection_closes_when_its_session_is_revoked()
    {
        var prefix = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await StartAsync(core, prefix);
        var user = $"user-{Guid.NewGuid():N}";
        using var socket = await ConnectAsync(app, user);

        await core.PostAsync($"{prefix}/recipe/session/remove", new { userId = user });

        await UntilClosedAsync(socket);
    }

    private static Task<ClientApp> StartAsync(CoreHost core, string prefix) => ClientApp.StartAsync(
        core,
        options => options.ConnectionUri = new Uri(core.Url, prefix),
        services: services =>
        {
            services.AddSingleton(TimeProvider.System);
            services.AddSignalR();
        },
        use: app =>
        {
            app.MapGrid();
            app.MapHub<QuietHub>("/hub", options => options.CloseOnAuthenticationExpiration = true).RequireAuthorization();
        });

    private static async Task<ClientWebSocket> ConnectAsync(ClientApp app, string user = "u")
    {
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={user}");
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", $"sAccessToken={browser.Cookies["sAccessToken"]}");
        socket.Options.SetRequestHeader("Origin", "https://app.example.com");
        using var patience = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new UriBuilder(app.Url) { Scheme = "ws", Path = "/hub" }.Uri, patience.Token);
        await socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e"), WebSocketMessageType.Text, true, patience.Token);

        // The hub speaks: the connection is up.
        Assert.Contains("\"target\":\"here\"", await ReadUntilAsync(socket, "here", patience.Token), StringComparison.Ordinal);
        return socket;
    }

    private static async Task UntilClosedAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await ReadUntilAsync(socket, "never", patience.Token);
        }
        catch (WebSocketException)
        {
            // Cut, not closed: as good.
        }

        Assert.NotEqual(WebSocketState.Open, socket.State);
    }

    private static async Task<string> ReadUntilAsync(ClientWebSocket socket, string word, CancellationToken cancel)
    {
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        while (!text.ToString().Contains(word, StringComparison.Ordinal))
        {
            var received = await socket.ReceiveAsync(buffer, cancel);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                break;
            }

            text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
        }

        return text.ToString();
    }

    /// <summary>Ends its connections by hand, as was needed before there was <c>EndsWithGridSession()</c>.</summary>
    public sealed class QuietHub : Hub
    {
        public override Task OnConnectedAsync()
        {
            Context.GetHttpContext()!.GetGridSession()!.Ended.Register(Context.Abort);
            return Clients.Caller.SendAsync("here");
        }
    }
}
