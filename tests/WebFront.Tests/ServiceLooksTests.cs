using System.Net.WebSockets;
using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;
using Grid.Revocation.Outages;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;
using Grid.WebFront.Core.Revocation;

namespace Grid.WebFront.Tests;

/// <summary>The looks of one connection, while its app has used up its pace.</summary>
public sealed class ServiceLooksTests : IAsyncDisposable
{
    private static readonly AppKey App = new("", "greedy");

    private readonly ServiceDoor _door = new(new HolderRelay(null!, null!, () => "", new RelayLimits()));
    private readonly HolderSocket _socket = new(WebSocket.CreateFromStream(new MemoryStream(), new WebSocketCreationOptions { IsServer = true }));
    private readonly OutageTally _failed = new(TimeProvider.System, (_, _) => { }, _ => { }, _ => { });
    private readonly ConnectedService _service;

    public ServiceLooksTests()
    {
        while (_door.PaceLookAsync(App.ToString(), Stop).IsCompleted)
        {
            // Until there is none left of the burst.
        }

        var app = new AppSnapshot { App = App, Settings = new SessionSettings(), ApiKeyHashes = [], TenantIds = [] };
        _service = new ConnectedService(_socket, "127.0.0.1", _ => true, app, Stop);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _socket.DisposeAsync();
        _door.Dispose();
        _failed.Dispose();
    }

    [Fact]
    public async Task As_many_as_may_be_under_way_do_not_hold_up_what_the_service_sends_after_them()
    {
        await using var looks = Looks();
        for (var n = 1; n <= HolderSocket.MaxLooks; n++)
        {
            Assert.True(looks.AddAsync(n, Name()).AsTask().IsCompletedSuccessfully);
        }
    }

    [Fact]
    public async Task Those_that_a_connection_leaves_behind_keep_no_place_of_its_app()
    {
        var looks = Looks();
        var places = _door.LooksOf(App.ToString()).CurrentCount;
        for (var n = 1; n <= HolderSocket.MaxLooks; n++)
        {
            await looks.AddAsync(n, Name());
        }

        await looks.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2), Stop);

        Assert.Equal(places, _door.LooksOf(App.ToString()).CurrentCount);
    }

    private ServiceLooks Looks() => new(_service, _door, new NoSessions(), _failed);

    private static SessionName Name() => new(App.ToString(), TenantKey.PublicId, Guid.NewGuid());

    private sealed class NoSessions : ISessionLook
    {
        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) => new((FoundSession?)null);
    }
}
