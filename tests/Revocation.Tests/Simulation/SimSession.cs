using Grid.Revocation.Holders;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>A session as the clients know it.</summary>
internal sealed record SimSession(SessionName Name, string UserId)
{
    public string Id { get; } = Name.Id.ToString();
}
