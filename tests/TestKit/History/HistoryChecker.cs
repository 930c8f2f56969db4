namespace Grid.TestKit.History;

/// <summary>Says which answers in a history break the promise of instant revocation, or sign somebody out.</summary>
/// <remarks>
/// Only what is certain counts. A request that had started when a revocation was acknowledged may be accepted. A revocation of many
/// sessions covers those that were known to exist, or were promised, before it began; one that was being made meanwhile may come before or after it.
/// </remarks>
public static class HistoryChecker
{
    public static IReadOnlyList<HistoryViolation> Check(SessionHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        var revocations = new RevocationIndex(history.Revocations);
        var sessions = new Dictionary<string, Fate>(StringComparer.Ordinal);
        foreach (var made in history.Made)
        {
            sessions[made.Session] = new Fate(made);
        }

        // Whatever its creator was told: what was accepted exists.
        foreach (var accepted in history.Verifications.Where(verification => verification.Result == VerificationResult.Accepted))
        {
            if (sessions.TryGetValue(accepted.Session, out var fate) && !(fate.Exists <= accepted.Ended))
            {
                fate.Exists = accepted.Ended;
            }
        }

        foreach (var fate in sessions.Values)
        {
            foreach (var revocation in revocations.OfMany(fate.Made))
            {
                fate.Revoked(revocation, covers: fate.Exists <= revocation.Started || fate.Made.Ordered <= revocation.Started);
            }
        }

        foreach (var revocation in history.Revocations.Where(revocation => revocation.Session is not null))
        {
            if (!sessions.TryGetValue(revocation.Session!, out var fate))
            {
                sessions.Add(revocation.Session!, fate = new Fate(null));
            }

            fate.Revoked(revocation, covers: true);
        }

        List<HistoryViolation> violations = [];
        foreach (var verification in history.Verifications)
        {
            if (sessions.TryGetValue(verification.Session, out var fate) && fate.Judge(verification) is { } violation)
            {
                violations.Add(violation);
            }
        }

        return violations;
    }

    /// <summary>What is known of one session.</summary>
    private sealed class Fate(MadeSession? made)
    {
        private RevokeCall? _ended;
        private TimeSpan? _begun;

        public MadeSession Made => made!;

        public TimeSpan? Exists { get; set; } = made?.Acknowledged;

        public void Revoked(RevokeCall revocation, bool covers)
        {
            if (!(_begun <= revocation.Started))
            {
                _begun = revocation.Started;
            }

            if (covers && revocation.Acknowledged is { } at && !(_ended?.Acknowledged <= at))
            {
                _ended = revocation;
            }
        }

        public HistoryViolation? Judge(Verification verification) => verification.Result switch
        {
            VerificationResult.Accepted when verification.Started > _ended?.Acknowledged =>
                new HistoryViolation(ViolationKind.AcceptedAfterAcknowledgement, verification, _ended),
            VerificationResult.Refused when Exists <= verification.Started && !(_begun <= verification.Ended) && !(made?.Expires <= verification.Ended) =>
                new HistoryViolation(ViolationKind.RefusedWithoutCause, verification),
            _ => null,
        };
    }
}
