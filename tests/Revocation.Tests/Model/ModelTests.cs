using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Model;

/// <summary>Every order of events in a small world: nothing is accepted after its revocation was acknowledged, and none waits for those whom it does not concern.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    /// <summary>Too large to allow everything at once: each of these allows some of it, and two holders little.</summary>
    public static TheoryData<RevocationKind, Budget> Worlds { get; } = new()
    {
        { RevocationKind.Session, new Budget(Holders: 1, Crashes: 1, Lags: 1) },
        { RevocationKind.User, new Budget(Holders: 1, Crashes: 1, Retries: 1) },
        { RevocationKind.Tenant, new Budget(Holders: 1, Lags: 1) },
        { RevocationKind.App, new Budget(Holders: 1, Retries: 1) },
        { RevocationKind.Session, new Budget(Holders: 1, Reaps: 2) },
        { RevocationKind.Session, new Budget(Holders: 1, Redemptions: 2) },
        { RevocationKind.User, new Budget(Holders: 1, Redemptions: 2) },
        { RevocationKind.Tenant, new Budget(Holders: 1, Retries: 1, IsRemoval: true) },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public void No_order_of_events_accepts_after_the_acknowledgement(RevocationKind kind, Budget budget)
    {
        var (states, violation) = Explorer.Explore(Mistake.None, kind, budget);

        output.WriteLine($"{states} states");
        Assert.True(violation is null, $"Steps {string.Join(' ', violation ?? [])}");
        Assert.True(states > 1_000);
    }

    [Theory]
    [InlineData(Mistake.AnchorAtReply)]
    [InlineData(Mistake.NoVoidOfPendingChecks, RevocationKind.Tenant)]
    [InlineData(Mistake.RetryAcknowledgedAtOnce)]
    [InlineData(Mistake.RegistryReadBeforeTheDelete)]
    [InlineData(Mistake.CheckBeforeRegister)]
    [InlineData(Mistake.PositionGap)]
    [InlineData(Mistake.ExtendBeforeApply)]
    [InlineData(Mistake.AnswerFromAStaleActivation)]
    [InlineData(Mistake.ReaperTooEarly)]
    [InlineData(Mistake.RenewalAfterBeingReaped)]
    [InlineData(Mistake.ReRegisterKeepingState)]
    [InlineData(Mistake.MarginTooSmall)]
    [InlineData(Mistake.RemovalWithoutComparing)]
    [InlineData(Mistake.ConfirmBeforeApply)]
    [InlineData(Mistake.TicketGoodTwice, RevocationKind.User)]
    [InlineData(Mistake.TicketOutlivesRevocation, RevocationKind.App)]
    [InlineData(Mistake.StruckBeforeItsSessionsEnd, RevocationKind.Tenant)]
    [InlineData(Mistake.RemovalNotConfirmed, RevocationKind.App)]
    [InlineData(Mistake.RowStruckByAStranger)]
    [InlineData(Mistake.EntryMisses)]
    [InlineData(Mistake.WaitsForOtherApps)]
    public void A_planted_mistake_is_found(Mistake mistake, RevocationKind kind = RevocationKind.Session)
    {
        // What it takes and no more, so that it is found in seconds.
        var budget = mistake switch
        {
            Mistake.RetryAcknowledgedAtOnce => new Budget(Holders: 1, Retries: 1),
            Mistake.MarginTooSmall => new Budget(Holders: 1, Lags: 1),
            Mistake.ReaperTooEarly or Mistake.RenewalAfterBeingReaped or Mistake.ReRegisterKeepingState or Mistake.RemovalWithoutComparing =>
                new Budget(Holders: 1, Reaps: 2),
            Mistake.TicketGoodTwice or Mistake.TicketOutlivesRevocation => new Budget(Holders: 1, Redemptions: 2),
            Mistake.StruckBeforeItsSessionsEnd or Mistake.RemovalNotConfirmed => new Budget(Holders: 1, Retries: 1, IsRemoval: true),
            _ => new Budget(Holders: 1),
        };
        var (states, violation) = Explorer.Explore(mistake, kind, budget);

        Assert.True(violation is not null, $"not among {states} states");
        output.WriteLine($"{violation.Length} steps, after {states} states: {string.Join(' ', violation)}");
    }
}
