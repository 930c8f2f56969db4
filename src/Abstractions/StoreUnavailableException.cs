namespace Grid.Abstractions;

/// <summary>The store did not answer, or its answer was lost, so that the outcome of a write is unknown.</summary>
/// <remarks>
/// Fronts answer 503 with <c>Retry-After</c>, never 401. Cached state that the write was about must be dropped and read
/// again. It does not cross silos: grains turn it into an outcome.
/// </remarks>
public sealed class StoreUnavailableException : Exception
{
    public StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
