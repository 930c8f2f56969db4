namespace Grid.Storage;

/// <summary>The store must not be used in its present state. The message says what to do.</summary>
public sealed class StoreStartException(string message, Exception? innerException = null) : Exception(message, innerException);
