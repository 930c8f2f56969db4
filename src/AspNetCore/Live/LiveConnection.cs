using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;

namespace Grid.AspNetCore.Live;

/// <summary>A hub's connection that ends with its sessions.</summary>
internal sealed class LiveConnection : IDisposable
{
    private readonly HubCallerContext _connection;
    private readonly List<HeldSession> _held;
    private readonly List<SessionWatch> _watches;
    private readonly List<CancellationTokenRegistration> _endings;
    private LiveCircuit? _circuit;

    public LiveConnection(HubCallerContext connection, List<HeldSession> held)
    {
        (_connection, _held) = (connection, held);
        _watches = held.ConvertAll(session => session.Watch());
        _endings = _watches.ConvertAll(watch => watch.Ended.UnsafeRegister(static connection => _ = ((LiveConnection)connection!).EndAsync(), this));
    }

    /// <summary>Serves a call of Blazor Server. A circuit says that it is open with the first one after that which started it.</summary>
    public ValueTask<object?> ServeAsync(Func<ValueTask<object?>> call)
    {
        if (_watches.Exists(watch => watch.Ended.IsCancellationRequested))
        {
            return RefuseAsync();
        }

        LiveCircuit.Current.Value = _circuit;
        return call();
    }

    /// <summary>Serves a call that starts a circuit of Blazor Server.</summary>
    public async ValueTask<object?> StartCircuitAsync(HttpContext http, Func<ValueTask<object?>> start)
    {
        var circuit = new LiveCircuit(http, _held);
        (_circuit, LiveCircuit.Current.Value) = (circuit, circuit);
        try
        {
            var secret = await start();
            circuit.Started(secret as string);
            return secret;
        }
        catch
        {
            circuit.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _endings.ForEach(ending => ending.Unregister());
        _watches.ForEach(watch => watch.Dispose());
        if (_circuit is { IsTaken: false })
        {
            // It would be nobody's to watch.
            _ = _circuit.EndAsync();
            _circuit.Dispose();
        }
    }

    // A call that came in just now would find no circuit any more, and its page would be told of an error, after which it stays as it is
    // instead of looking for the sign-in page.
    private async ValueTask<object?> RefuseAsync()
    {
        await EndAsync();
        return null;
    }

    // The circuit first: the page reconnects at once, and is not to find it again. Whoever calls it again waits for the same end.
    private async Task EndAsync()
    {
        try
        {
            await (_circuit?.EndAsync() ?? Task.CompletedTask);
        }
        finally
        {
            // To the client that is an end after which it does not reconnect by itself.
            _connection.Abort();
        }
    }
}
