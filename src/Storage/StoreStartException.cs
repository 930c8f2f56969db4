using Grid.Abstractions;

namespace Grid.Storage;

/// <summary>The store must not be used in its present state. The message says what to do.</summary>
public sealed class StoreStartException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>What a process ends with whose store must not be used.</summary>
    public const int ExitCode = 3;

    /// <summary>It was there when the start began.</summary>
    /// <param name="failure">What came instead of an answer.</param>
    public static StoreStartException StoppedAnswering(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var cause = failure is StoreUnavailableException { InnerException: { } inner } ? inner : failure;
        return new StoreStartException($"The store stopped answering during the start: {cause.Message} Start again when it is back.", failure);
    }
}
