namespace Grid.Hosting.Joining;

/// <summary>This silo cannot join the cluster. The message says what to repair.</summary>
internal sealed class ClusterStartException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>What a process ends with whose silo cannot be one of the cluster.</summary>
    public const int ExitCode = 4;
}
