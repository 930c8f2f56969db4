namespace Grid.GrainClient.Clusters;

/// <summary>Why the last connection that a silo's certificate was judged for did not come about.</summary>
internal sealed class Refusal
{
    private const string NotLetIn =
        "a silo's certificate is right and it has ended the connection, so that it does not accept this service's: is that of its authority, for client authentication, and valid?";

    private volatile string? _why;

    /// <summary>Null if none was refused, or one has come about since.</summary>
    public string? Why => _why;

    /// <summary>Who is not let in learns it after this, by the end of the connection.</summary>
    /// <param name="whyNot">Why the silo's certificate is not accepted; null if it is.</param>
    public void Judged(string? whyNot) => _why = whyNot is null ? NotLetIn : $"a silo was refused: {whyNot}";

    public void Clear() => _why = null;

    /// <summary>
    /// For a client that is connected: a connection that was added is in use, and when it ends, it ends for another reason. To begin with, those
    /// that are not let in count for a moment, too.
    /// </summary>
    public void OnGatewayCountChanged(GatewayCountChangedEventArgs change)
    {
        if (change.NumberOfConnectedGateways > change.PreviousNumberOfConnectedGateways)
        {
            Clear();
        }
    }
}
