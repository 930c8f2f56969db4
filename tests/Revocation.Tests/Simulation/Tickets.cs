namespace Grid.Revocation.Tests.Simulation;

/// <summary>Sessions that are promised first and made later, by whoever shows the ticket: late, often, twice at once, after everything was revoked.</summary>
internal sealed class Tickets(World world, Clients clients)
{
    private readonly Dice _dice = world.Dice;
    private readonly Scheduler _scheduler = world.Scheduler;

    public void Order()
    {
        if (world.AnySilo() is { } silo)
        {
            var session = clients.Ledger.NewSession();
            silo.Process.Run(() => SimProcess.Observe(OrderAsync(silo, session)));
        }
    }

    /// <summary>Somebody shows it.</summary>
    public void Redeem(SimSession session, TimeSpan delay) => _scheduler.After(delay, () =>
    {
        if (world.AnySilo() is { } silo)
        {
            silo.Process.Run(() => SimProcess.Observe(RedeemAsync(silo, session)));
        }
    });

    private async Task OrderAsync(Silo silo, SimSession session)
    {
        try
        {
            if (!await silo.Store.IsServedAsync(session.Name))
            {
                return;
            }

            world.Note($"{silo.Machine.Name} promises {session.Id[..4]} of {session.UserId} in {session.Name.App}/{session.Name.Tenant}");
            clients.Ledger.Begins(session);
            await silo.Store.OrderAsync(session.Name, session.UserId, _dice.Chance(0.2) ? _dice.Milliseconds(500, 3_000) : TimeSpan.FromMinutes(5));
        }
        catch (SimulatedFailure)
        {
            // Nobody has this ticket in hand.
            return;
        }

        clients.Ledger.Ordered(session);
        for (var times = 1 + _dice.Below(4); times > 0; times--)
        {
            Redeem(session, _dice.Chance(0.5) ? _dice.Milliseconds(0, 20) : _dice.Milliseconds(0, 6_000));
        }
    }

    private async Task RedeemAsync(Silo silo, SimSession session)
    {
        try
        {
            if (await silo.Store.RedeemAsync(session.Name, Clients.Long) && await clients.IsStillServedAsync(silo, session.Name))
            {
                world.Note($"{silo.Machine.Name} has redeemed {session.Id[..4]}");
                clients.Ledger.Made(session);
            }
        }
        catch (SimulatedFailure)
        {
            // Perhaps it is there.
        }
    }
}
