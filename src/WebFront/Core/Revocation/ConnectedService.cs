using System.Net.WebSockets;
using Grid.Abstractions.Apps;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>A connected service, registered or not.</summary>
internal sealed record ConnectedService(HolderSocket Messages, string Address, Predicate<AppSnapshot> IsAdmitted, AppSnapshot App, CancellationToken Stop)
{
    // For the closing handshake: the last message is lost if the connection is cut before it.
    private static readonly TimeSpan GoodbyeWithin = TimeSpan.FromSeconds(1);

    public string AppName { get; } = App.App.ToString();

    /// <summary>The pending read of the next message; null if none is pending.</summary>
    public Task<HolderMessage?>? Receiving { get; set; }

    /// <summary>Closes the connection and gives the other side time to read the reason.</summary>
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
            // The connection is closed either way.
        }
    }
}
