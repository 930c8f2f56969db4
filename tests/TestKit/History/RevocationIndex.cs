namespace Grid.TestKit.History;

/// <summary>Finds the revocations of many sessions that name one of them, without looking at all.</summary>
internal sealed class RevocationIndex
{
    private readonly ILookup<(string? App, string? Tenant, string? UserId), RevokeCall> _calls;

    public RevocationIndex(IEnumerable<RevokeCall> revocations) =>
        _calls = revocations.Where(call => call.Session is null).ToLookup(call => (call.App, call.Tenant, call.UserId));

    public IEnumerable<RevokeCall> OfMany(MadeSession session) =>
        new (string?, string?, string?)[]
        {
            (session.App, session.Tenant, session.UserId), (session.App, null, session.UserId), (session.App, session.Tenant, null), (session.App, null, null),
        }.SelectMany(scope => _calls[scope]).Where(call => call.Names(session));
}
