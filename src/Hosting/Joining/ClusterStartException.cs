namespace Grid.Hosting.Joining;

/// <summary>This silo cannot join the cluster. The message says what to repair.</summary>
internal sealed class ClusterStartException(string message, Exception? innerException = null) : Exception(message, innerException);
