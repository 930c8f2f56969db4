namespace Grid.TestKit.History;

/// <summary>Says which answers in a history break the promise of instant revocation, or sign somebody out, and what of it the store has lost or made twice.</summary>
/// <remarks>
/// Only what is certain counts. A request that had started when a revocation was acknowledged may be accepted. A revocation of many
/// sessions covers those that were known to exist, or were promised, before it began; one that was being made meanwhile may come before or after it.
/// A refresh token is replaced once its successor was shown, or the grace since it was first shown is over: what it meets then is due to it.
/// </remarks>
public static class HistoryChecker
{
    /// <param name="history">Complete: nobody asks any more.</param>
    /// <param name="stored">What is in the store after it; null: nobody looked.</param>
    public static IReadOnlyList<HistoryViolation> Check(SessionHistory history, StoreImage? stored = null)
    {
        ArgumentNullException.ThrowIfNull(history);
        var refreshes = history.Refreshes.ToLookup(refresh => refresh.Session, StringComparer.Ordinal);
        var revocations = new RevocationIndex(history.Revocations);
        var sessions = new Dictionary<string, Fate>(StringComparer.Ordinal);
        foreach (var made in history.Made)
        {
            sessions[made.Session] = new Fate(made);
        }

        // Whatever its creator was told: what was accepted exists.
        foreach (var accepted in history.Verifications.Concat(history.Refreshes.Select(refresh => refresh.AsVerification())).Where(answer => answer.Result == VerificationResult.Accepted))
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

        // A thief's token, or one that its holder showed too late: that ends the session.
        foreach (var theft in history.Refreshes.Where(refresh => refresh.Outcome == RefreshOutcome.Theft && IsReplaced(refresh, refreshes[refresh.Session], history.RefreshGrace)))
        {
            if (sessions.TryGetValue(theft.Session, out var fate))
            {
                fate.Begun(theft.Started);
            }
        }

        List<HistoryViolation> violations = [];
        foreach (var verification in history.Verifications)
        {
            if (sessions.TryGetValue(verification.Session, out var fate) && fate.Judge(verification) is { } violation)
            {
                violations.Add(violation);
            }
        }

        foreach (var refresh in history.Refreshes)
        {
            if (sessions.TryGetValue(refresh.Session, out var fate) && fate.Judge(refresh.AsVerification()) is { } violation)
            {
                if (violation.Kind == ViolationKind.AcceptedAfterAcknowledgement)
                {
                    violations.Add(violation);
                }
                else if (!IsReplaced(refresh, refreshes[refresh.Session], history.RefreshGrace))
                {
                    violations.Add(violation with { Kind = KindOf(refresh, refreshes[refresh.Session]) });
                }
            }
        }

        if (stored is not null)
        {
            violations.AddRange(CheckRows(history, stored, sessions));
        }

        return violations;
    }

    private static ViolationKind KindOf(RefreshCall refused, IEnumerable<RefreshCall> ofSession) =>
        refused.Outcome == RefreshOutcome.Theft ? ViolationKind.FalseTheft
        : ofSession.Any(earlier => earlier.Issued == refused.Presented) ? ViolationKind.RefreshLost
        : ViolationKind.RefusedWithoutCause;

    private static bool IsReplaced(RefreshCall refresh, IEnumerable<RefreshCall> ofSession, TimeSpan grace) => ofSession.Any(other =>
        !ReferenceEquals(other, refresh) && other.Presented == refresh.Presented && other.Outcome is RefreshOutcome.Rotated or RefreshOutcome.Unknown
        && (other.Started + grace < refresh.Ended || (other.Issued is { } next && ofSession.Any(later => later.Presented == next && later.Started < refresh.Ended))));

    private static IEnumerable<HistoryViolation> CheckRows(SessionHistory history, StoreImage stored, Dictionary<string, Fate> sessions)
    {
        var attempts = history.Made.Where(made => made.Attempt is not null).ToDictionary(made => made.Attempt!, StringComparer.Ordinal);
        var rows = new HashSet<string>(StringComparer.Ordinal);
        var unanswered = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in stored.Sessions)
        {
            var isOfItsCaller = sessions.TryGetValue(row.Session, out var fate);
            if (!rows.Add(row.Session))
            {
                yield return Wrong(ViolationKind.DuplicateRow, row.Session, VerificationResult.Accepted);
            }
            else if (isOfItsCaller && fate!.Ended is { } ended)
            {
                yield return Wrong(ViolationKind.RevocationLost, row.Session, VerificationResult.Accepted) with { Revocation = ended };
            }
            else if (!isOfItsCaller && !(row.Attempt is { } mark && attempts.ContainsKey(mark)))
            {
                yield return Wrong(ViolationKind.UnknownRow, row.Session, VerificationResult.Accepted);
            }
            else if (!isOfItsCaller && (attempts[row.Attempt!].Acknowledged is not null || !unanswered.Add(row.Attempt!)))
            {
                // Its caller has another, or nobody can have both.
                yield return Wrong(ViolationKind.DuplicateRow, row.Session, VerificationResult.Accepted);
            }
        }

        foreach (var (session, fate) in sessions)
        {
            if (fate.MustBeStored(stored.At) && !rows.Contains(session))
            {
                yield return Wrong(ViolationKind.SessionLost, session, VerificationResult.Refused);
            }
        }

        foreach (var end in stored.Ends.GroupBy(end => end, StringComparer.Ordinal).Where(end => end.Count() > 1))
        {
            yield return Wrong(ViolationKind.DuplicateRow, end.Key, VerificationResult.Accepted);
        }

        HistoryViolation Wrong(ViolationKind kind, string session, VerificationResult result) =>
            new(kind, new Verification { Session = session, Verifier = "the store", Result = result, Started = stored.At, Ended = stored.At });
    }

    /// <summary>What is known of one session.</summary>
    private sealed class Fate(MadeSession? made)
    {
        private RevokeCall? _ended;
        private TimeSpan? _begun;

        public MadeSession Made => made!;

        public TimeSpan? Exists { get; set; } = made?.Acknowledged;

        /// <summary>The revocation that covers it and was acknowledged first, if one was.</summary>
        public RevokeCall? Ended => _ended;

        /// <summary>Acknowledged, not expired, and nobody has begun to end it.</summary>
        public bool MustBeStored(TimeSpan at) => made?.Acknowledged is not null && _begun is null && !(made.Expires <= at);

        /// <summary>From here on it may end.</summary>
        public void Begun(TimeSpan at)
        {
            if (!(_begun <= at))
            {
                _begun = at;
            }
        }

        public void Revoked(RevokeCall revocation, bool covers)
        {
            Begun(revocation.Started);

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
