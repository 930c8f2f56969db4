using Grid.Revocation.Acknowledgement;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>What has to be so once nothing goes wrong any more, whoever lies: everybody is fresh, and no revocation waits for another app's holders.</summary>
internal sealed class Calm(World world)
{
    private const int Rounds = 4;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    // Until the reaper has found the last of those that died.
    private static readonly TimeSpan Reaped = TimeSpan.FromSeconds(8);

    // A healthy cluster takes milliseconds, W is 2.75 s and more.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(900);

    public IEnumerable<string> Problems()
    {
        // Who was paused when all was healed goes on when its pause is over.
        for (var tries = 0; tries < 120 && world.Members.Any(IsNotFresh); tries++)
        {
            Pass(Moment);
        }

        foreach (var machine in world.Members.Where(IsNotFresh))
        {
            yield return $"{machine.Name} does not become fresh again.";
        }

        if (world.Liars.Count == 0)
        {
            yield break;
        }

        Pass(Reaped);
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var app in Clients.Apps)
            {
                // Who only keeps silent is found out; against one who comes under ever new names his own app has its limit and no more.
                var lies = world.Liars.Where(liar => liar.Machine.App == app).Select(liar => liar.Lie).ToList();
                var receipt = Revoke(app);
                if ((receipt is null || receipt.Waited > 0 || receipt.Elapsed > Soon)
                    && (lies.Count == 0 || (round == Rounds && lies.TrueForAll(lie => lie == Lie.NeverConfirms))))
                {
                    yield return $"A revocation of {app} is held up: {receipt}";
                    yield break;
                }
            }

            Pass(Reaped);
        }
    }

    private static bool IsNotFresh(Machine machine) => machine.Node?.Holder.IsFresh != true;

    private void Pass(TimeSpan time) => world.Scheduler.Run(world.Scheduler.Now + time);

    private RevocationReceipt? Revoke(string app)
    {
        RevocationReceipt? receipt = null;
        var silo = world.AnySilo(0)!;
        silo.Process.Run(() => SimProcess.Observe(RevokeAsync()));
        for (var waited = TimeSpan.Zero; receipt is null && waited < TimeSpan.FromSeconds(20); waited += Moment)
        {
            Pass(Moment);
        }

        return receipt;

        async Task RevokeAsync()
        {
            var entries = await silo.Store.RevokeAsync(new Scope(app, Clients.Tenants[0], "nobody"));
            receipt = await silo.Revoker.ConfirmAsync(entries, silo.Machine.Clock.GetTimestamp(), CancellationToken.None);
        }
    }
}
