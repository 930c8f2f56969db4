using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Grid.AspNetCore.Live;

/// <summary>Tells when a circuit is over, so that its session is watched no more. One for each circuit.</summary>
internal sealed class LiveCircuitHandler : CircuitHandler, IDisposable
{
    private LiveCircuit? _circuit;

    public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _circuit = LiveCircuit.Current.Value;
        _circuit?.IsTaken = true;
        return Task.CompletedTask;
    }

    public override Task OnCircuitClosedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _circuit?.Dispose();
}
