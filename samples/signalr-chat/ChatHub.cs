using Microsoft.AspNetCore.SignalR;

namespace Grid.Samples.SignalRChat;

/// <summary>Everybody hears everybody. It knows nothing of sessions that end.</summary>
public sealed class ChatHub : Hub
{
    public Task Say(string text) => Clients.All.SendAsync("said", Context.GetHttpContext()!.GetGridSession()!.UserId, text);
}
