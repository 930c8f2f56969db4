using Grid.Revocation.Holders;
using Grid.TestKit.History;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>What clients know of what they made and revoked. Who crashes tells nothing more.</summary>
internal sealed class Ledger(World world)
{
    private readonly List<SimSession> _sessions = [];
    private readonly Dictionary<string, MadeSession> _made = [];
    private readonly List<RevokeCall> _calls = [];

    /// <summary>All that was ever asked for, and perhaps made.</summary>
    public IReadOnlyList<SimSession> Sessions => _sessions;

    /// <summary>Of any app and tenant that there is in this world.</summary>
    public SimSession NewSession()
    {
        var dice = world.Dice;
        var app = dice.Chance(0.8) ? Clients.Apps[0] : Clients.Apps[1];
        var tenant = dice.Chance(0.7) ? Clients.Tenants[0] : Clients.Tenants[1];
        if (world.Settings.HasRemovals && dice.Chance(0.4))
        {
            (app, tenant) = dice.Chance(0.5) ? (Removals.Tenant.App, Removals.Tenant.Tenant!) : (Removals.App.App, tenant);
        }

        return new SimSession(new SessionName(app, tenant, dice.Guid()), dice.Pick(Clients.Users));
    }

    public void Begins(SimSession session, bool canExpire = false)
    {
        _sessions.Add(session);
        _made.Add(session.Id, new MadeSession
        {
            Session = session.Id,
            App = session.Name.App,
            Tenant = session.Name.Tenant,
            UserId = session.UserId,
            Started = world.Scheduler.Now,
            Expires = canExpire ? world.Scheduler.Now : null,
        });
    }

    public void Ordered(SimSession session) => _made[session.Id] = _made[session.Id] with { Ordered = world.Scheduler.Now };

    public void Made(SimSession session) => _made[session.Id] = _made[session.Id] with { Acknowledged = _made[session.Id].Acknowledged ?? world.Scheduler.Now };

    /// <summary>Whether anybody can have heard of it: from who made it, from who promised it, or from a list.</summary>
    public bool IsKnown(SimSession session) =>
        _made[session.Id] is { Acknowledged: not null } or { Ordered: not null } || world.Store.Lives(session.Name);

    public int Begins(RevokeCall call)
    {
        _calls.Add(call);
        return _calls.Count - 1;
    }

    public RevokeCall Acknowledged(int call) => _calls[call] = _calls[call] with { Acknowledged = world.Scheduler.Now };

    public IReadOnlyList<SimSession> NamedBy(RevokeCall call) => _sessions.FindAll(session => call.Names(_made[session.Id]));

    /// <summary>Whether it may end by itself, at a time that depends on whose clock is asked.</summary>
    public bool CanExpire(SimSession session) => _made[session.Id].Expires is not null;

    public bool IsPromised(SimSession session) => _made[session.Id].Ordered is not null;

    /// <summary>Whether its tenant or app was ever revoked as a whole.</summary>
    public bool IsNamedWithMany(SimSession session) =>
        _calls.Any(call => call.UserId is null && call.Session is null && call.Names(_made[session.Id]));

    /// <summary>Hands over all that is known.</summary>
    public void Tell(SessionHistory history)
    {
        foreach (var made in _made.Values)
        {
            history.Add(made);
        }

        _calls.ForEach(history.Add);
    }
}
