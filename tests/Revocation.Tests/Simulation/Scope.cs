using Grid.Revocation.Holders;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>What a client wants to be over: a session; a user's, in one tenant or all, perhaps but one; a tenant's; an app's.</summary>
internal sealed record Scope(string App, string? Tenant = null, string? UserId = null, SessionName? Session = null, SessionName? Kept = null, bool IsMisnamed = false)
{
    public RevokeCall Call(TimeSpan started) => new()
    {
        Session = Session is not { } session ? null : IsMisnamed ? $"{session.App}/{session.Tenant}/{session.Id}" : session.Id.ToString(),
        App = App,
        Tenant = Tenant,
        UserId = UserId,
        Kept = Kept is { } kept ? [kept.Id.ToString()] : [],
        Started = started,
    };
}
