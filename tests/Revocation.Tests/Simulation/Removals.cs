namespace Grid.Revocation.Tests.Simulation;

/// <summary>A tenant and an app that are removed, in steps that can be taken again, and made anew under the same name.</summary>
internal sealed class Removals(World world, Clients clients)
{
    public static readonly Scope Tenant = new(Clients.Apps[0], "t3");
    public static readonly Scope App = new("gone");

    private readonly Dice _dice = world.Dice;

    // Which lives of the name somebody has seen who wanted it removed.
    private readonly HashSet<(Scope Scope, int Life)> _unwanted = [];
    private readonly Dictionary<Scope, int> _newest = [];

    public void Remove() => clients.Attempt(Any(), RemoveAsync);

    public void MakeAnew()
    {
        if (world.AnySilo() is { } silo)
        {
            silo.Process.Run(() => SimProcess.Observe(MakeAnewAsync(silo, Any())));
        }
    }

    /// <summary>What was made anew after its removal and never removed again must be there.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var scope in (Scope[])[Tenant, App])
        {
            var (presence, life) = world.Store.Scope(scope.App, scope.Tenant);
            if (presence != Presence.Exists && !_unwanted.Contains((scope, Math.Max(life, _newest.GetValueOrDefault(scope)))))
            {
                yield return $"{scope.App}/{scope.Tenant} was made anew, and then struck by a removal that had begun before.";
            }
        }
    }

    private Scope Any() => _dice.Chance(0.5) ? Tenant : App;

    private async Task<bool> RemoveAsync(Silo silo, Scope scope, bool isFirst, CancellationToken gaveUp)
    {
        var strikesFirst = world.Mistake == Mistake.StruckBeforeItsSessionsEnd;
        var seen = await silo.Store.ScopeAsync(scope.App, scope.Tenant);
        world.Note($"{silo.Machine.Name} removes {scope.App}/{scope.Tenant}, which is {seen}");
        _unwanted.Add((scope, seen.Life));
        if (seen.Presence == Presence.None)
        {
            // Struck last: its sessions were over everywhere.
            return true;
        }

        // Durably, before anything else: from now on no silo serves it.
        if (seen.Presence == Presence.Exists && !await silo.Store.SetScopeAsync(scope, seen, strikesFirst ? Presence.None : Presence.Removing))
        {
            return false;
        }

        var entries = await silo.Store.RevokeAsync(scope);
        if (world.Mistake != Mistake.RemovalNotConfirmed)
        {
            await silo.Revoker.ConfirmAsync(entries, silo.Machine.Clock.GetTimestamp(), gaveUp);
        }

        if (!strikesFirst)
        {
            await silo.Store.SetScopeAsync(scope, (Presence.Removing, seen.Life), Presence.None);
        }

        return true;
    }

    private async Task MakeAnewAsync(Silo silo, Scope scope)
    {
        try
        {
            var seen = await silo.Store.ScopeAsync(scope.App, scope.Tenant);
            if (seen.Presence != Presence.None)
            {
                return;
            }

            // A session that slipped into the former one ends before there is a new one.
            var call = clients.Ledger.Begins(scope.Call(world.Scheduler.Now));
            var entries = world.Mistake == Mistake.CreateOutlivesRemoval ? [] : await silo.Store.RevokeAsync(scope);
            if (await silo.Store.SetScopeAsync(scope, seen, Presence.Exists))
            {
                world.Note($"{scope.App}/{scope.Tenant} is made anew");
                _newest[scope] = seen.Life + 1;
            }

            if (entries.Count > 0)
            {
                await silo.Revoker.ConfirmAsync(entries, silo.Machine.Clock.GetTimestamp(), CancellationToken.None);
                clients.Ledger.Acknowledged(call);
            }
        }
        catch (SimulatedFailure)
        {
            // Perhaps it is there.
        }
    }
}
