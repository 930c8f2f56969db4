using System.Net.WebSockets;
using Grid.Abstractions.Apps;
using Grid.Revocation.Relay.Wire;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Revocation;

/// <summary>A service that is connected, registered or not yet.</summary>
internal sealed record ConnectedService(HolderSocket Messages, HttpContext Context, AppSnapshot App, CancellationToken Stop)
{
    // For the other side to say goodbye too: what it was told last is lost if the connection is cut before.
    private static readonly TimeSpan GoodbyeWithin = TimeSpan.FromSeconds(1);

    public string AppName { get; } = App.App.ToString();

    public string Address => Context.Connection.RemoteIpAddress?.ToString() ?? "unknown";

    /// <summary>The next message, if it is waited for already.</summary>
    public Task<HolderMessage?>? Receiving { get; set; }

    /// <summary>Closes the connection, and lets the other side read why.</summary>
    public async Task SayGoodbyeAsync(string why)
    {
        await Messages.FinishAsync(WebSocketCloseStatus.PolicyViolation, why);
        try
        {
            using var patience = new CancellationTokenSource(GoodbyeWithin);
            await (Receiving ?? Task.CompletedTask).WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            patience.Token.ThrowIfCancellationRequested();
            await Messages.DrainAsync(patience.Token);
        }
        catch (Exception)
        {
            // It is over either way.
        }
    }
}
