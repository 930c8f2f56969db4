using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Model;

/// <summary>Every order of events in a small world: nothing is accepted after its revocation was acknowledged.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(RevocationKind.Session)]
    [InlineData(RevocationKind.User)]
    [InlineData(RevocationKind.Tenant)]
    [InlineData(RevocationKind.App)]
    public void No_order_of_events_accepts_after_the_acknowledgement(RevocationKind kind)
    {
        var (states, violation) = Explorer.Explore(Mistake.None, kind, holders: 1, crashes: 1, lags: 1);

        output.WriteLine($"{states} states");
        Assert.True(violation is null, $"Steps {string.Join(' ', violation ?? [])}");
        Assert.True(states > 10_000);
    }

    [Theory]
    [InlineData(Mistake.AnchorAtReply, RevocationKind.Session)]
    [InlineData(Mistake.NoVoidOfPendingChecks, RevocationKind.Tenant)]
    [InlineData(Mistake.RetryAcknowledgedAtOnce, RevocationKind.Session)]
    [InlineData(Mistake.RegistryReadBeforeTheDelete, RevocationKind.Session)]
    [InlineData(Mistake.CheckBeforeRegister, RevocationKind.Session)]
    [InlineData(Mistake.PositionGap, RevocationKind.Session)]
    [InlineData(Mistake.ExtendBeforeApply, RevocationKind.Session)]
    [InlineData(Mistake.AnswerFromAStaleActivation, RevocationKind.Session)]
    [InlineData(Mistake.ReaperTooEarly, RevocationKind.Session)]
    [InlineData(Mistake.RenewalAfterBeingReaped, RevocationKind.Session)]
    [InlineData(Mistake.ReRegisterKeepingState, RevocationKind.Session)]
    [InlineData(Mistake.MarginTooSmall, RevocationKind.Session)]
    [InlineData(Mistake.ConfirmationOfAnotherIncarnation, RevocationKind.Session)]
    [InlineData(Mistake.RemovalWithoutComparing, RevocationKind.Session)]
    [InlineData(Mistake.ConfirmBeforeApply, RevocationKind.Session)]
    public void A_planted_mistake_is_found(Mistake mistake, RevocationKind kind)
    {
        var (states, violation) = Explorer.Explore(mistake, kind, holders: 1, crashes: 1, lags: 1);

        Assert.NotNull(violation);
        output.WriteLine($"{violation.Length} steps, after {states} states: {string.Join(' ', violation)}");
    }
}
