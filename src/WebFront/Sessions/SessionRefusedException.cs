namespace Grid.WebFront.Sessions;

/// <summary>The request is invalid, and nothing was changed. The message tells the caller why; the core API returns it with 400.</summary>
public sealed class SessionRefusedException(string message) : Exception(message)
{
    /// <summary>The message for a payload with a reserved claim, as the protocol has it.</summary>
    public const string ProtectedField = "The user payload contains protected field";

    /// <summary>The length that the access token would have, if that is the problem.</summary>
    public int? TokenLength { get; init; }
}
