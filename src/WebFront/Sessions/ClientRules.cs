using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>
/// What depends on a client's protocol version. Source: <c>docs/protocol/core.md</c>, "Versions", "Verify" and "Refresh".
/// </summary>
/// <param name="TokenVersion">The format of access tokens.</param>
/// <param name="OlderRotation">CDI ≤ 5.4: child tokens that are promoted on first use, instead of rotation at once.</param>
public readonly record struct ClientRules(AccessTokenVersion TokenVersion, bool OlderRotation)
{
    /// <summary>The rules of the newest version.</summary>
    public static ClientRules Newest { get; } = new(AccessTokenVersion.V5, OlderRotation: false);
}
