using System.Security.Claims;
using Grid.AspNetCore.Live;
using Grid.Client;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;

namespace Grid.AspNetCore.Tests;

/// <summary>A call that a page makes while the connection ends with its session.</summary>
public sealed class LiveCallTests(CoreHost core)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_that_calls_when_its_session_has_ended_is_cut_off_and_told_of_no_error()
    {
        var appId = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await ClientApp.StartAsync(core, options => options.ConnectionUri = new Uri(core.Url, appId));
        var sessions = app.Find<IGridSessions>();
        var session = await sessions.CreateAsync(new SessionDraft { UserId = $"user-{Guid.NewGuid():N}" }, Stop);
        var browser = new OpenConnection();
        using var connection = new LiveConnection(browser, [new HeldSession(sessions, session.Handle)]);
        Assert.Equal("served", await connection.ServeAsync(() => ValueTask.FromResult<object?>("served")));

        await sessions.RevokeAsync(session.Handle, Stop);
        await browser.Cut.Task.WaitAsync(TimeSpan.FromMinutes(1), Stop);

        Assert.Null(await connection.ServeAsync(() => throw new InvalidOperationException("Its circuit is gone: the page would hear of an error.")));
    }

    private sealed class OpenConnection : HubCallerContext
    {
        public TaskCompletionSource Cut { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override string ConnectionId => "one";

        public override string? UserIdentifier => null;

        public override ClaimsPrincipal? User => null;

        public override IDictionary<object, object?> Items { get; } = new Dictionary<object, object?>();

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override CancellationToken ConnectionAborted => CancellationToken.None;

        public override void Abort() => Cut.TrySetResult();
    }
}
