namespace Grid.WebFront.Sessions;

/// <summary>What was asked for cannot be done as it stands, and nothing was changed. The message tells the caller why; the core API answers 400 with it.</summary>
public sealed class SessionRefusedException(string message) : Exception(message)
{
    /// <summary>A payload with a claim that belongs to the session service.</summary>
    public const string ProtectedField = "The user payload contains protected field";

    /// <summary>Characters that the access token would have, if that is what is wrong.</summary>
    public int? TokenLength { get; init; }
}
