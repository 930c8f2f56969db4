using Grid.Revocation.Holders;
using Microsoft.AspNetCore.SignalR;

namespace Grid.AspNetCore.Live;

/// <summary>A hub's connection that ends with its sessions.</summary>
internal sealed class LiveConnection : IDisposable
{
    private readonly List<SessionWatch> _watches;
    private readonly List<CancellationTokenRegistration> _endings;

    public LiveConnection(HubCallerContext connection, List<HeldSession> held)
    {
        _watches = held.ConvertAll(session => session.Watch());

        // To the client that is an end after which it does not reconnect.
        _endings = _watches.ConvertAll(watch => watch.Ended.UnsafeRegister(static connection => ((HubCallerContext)connection!).Abort(), connection));
    }

    public void Dispose()
    {
        _endings.ForEach(ending => ending.Unregister());
        _watches.ForEach(watch => watch.Dispose());
    }
}
