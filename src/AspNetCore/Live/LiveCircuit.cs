using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Grid.AspNetCore.Live;

/// <summary>
/// A circuit of Blazor Server that ends with the sessions of the connection that it was started by. Whoever only cut the connection would
/// leave the circuit to the next one, for minutes and with all that the user saw.
/// </summary>
internal sealed class LiveCircuit : IDisposable
{
    private readonly List<SessionWatch> _watches;
    private readonly List<CancellationTokenRegistration> _endings;
    private readonly TaskCompletionSource<string?> _secret = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IServiceScopeFactory _scopes;
    private readonly RequestDelegate? _leave;
    private readonly Lazy<Task> _ending;

    public LiveCircuit(HttpContext http, List<HeldSession> held)
    {
        _scopes = http.RequestServices.GetRequiredService<IServiceScopeFactory>();
        _leave = Leaving(http);
        _ending = new Lazy<Task>(EndOnceAsync);
        _watches = held.ConvertAll(session => session.Watch());
        _endings = _watches.ConvertAll(watch => watch.Ended.UnsafeRegister(static circuit => _ = ((LiveCircuit)circuit!).EndAsync(), this));
    }

    /// <summary>The circuit that the connection has started whose call is being served in this flow of control.</summary>
    public static AsyncLocal<LiveCircuit?> Current { get; } = new();

    /// <summary>Whether the circuit itself has taken over: its end will be told.</summary>
    public bool IsTaken { get; set; }

    /// <param name="secret">By which its page names it; null if there is no circuit.</param>
    public void Started(string? secret) => _secret.TrySetResult(secret);

    /// <summary>Closes the circuit; whatever it still does is done by nobody's wish.</summary>
    public Task EndAsync() => _ending.Value;

    public void Dispose()
    {
        _secret.TrySetResult(null);
        _endings.ForEach(ending => ending.Unregister());
        _watches.ForEach(watch => watch.Dispose());
    }

    // As its page does it when it is left. There is no other way for us: circuits are the framework's own.
    private async Task EndOnceAsync()
    {
        if (await _secret.Task is not { } secret || _leave is null)
        {
            return;
        }

        await using var scope = _scopes.CreateAsyncScope();
        var http = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        http.Request.Method = HttpMethods.Post;
        http.Request.Form = new FormCollection(new Dictionary<string, StringValues> { ["circuitId"] = secret });
        await _leave(http);
    }

    // The endpoint beside the hub's.
    private static RequestDelegate? Leaving(HttpContext http)
    {
        var hub = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.Trim('/');
        return http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .FirstOrDefault(endpoint => endpoint.RoutePattern.RawText?.Trim('/') == $"{hub}/disconnect")?.RequestDelegate;
    }
}
