namespace Grid.GrainClient.Clusters;

/// <summary>Tells when a gateway's connection has ended. Orleans leaves the calls that were under way over it waiting for their time limit; whoever made them can ask here.</summary>
internal sealed class GatewayLosses
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes with the next loss.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void OnGatewayCountChanged(object? sender, GatewayCountChangedEventArgs change)
    {
        if (change.NumberOfConnectedGateways < change.PreviousNumberOfConnectedGateways)
        {
            Interlocked.Exchange(ref _next, New()).TrySetResult();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
