namespace Grid.TestKit.History;

/// <summary>What is wrong with an answer.</summary>
public enum ViolationKind
{
    /// <summary>Accepted, although a revocation that covers the session had been acknowledged before the request started.</summary>
    AcceptedAfterAcknowledgement = 1,

    /// <summary>Refused, although the session had been made, had not expired, and nobody had begun to revoke it.</summary>
    RefusedWithoutCause = 2,
}

/// <summary>An answer that must not have been given.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Verification">The answer.</param>
/// <param name="Revocation">With <see cref="ViolationKind.AcceptedAfterAcknowledgement"/>: the first that was acknowledged.</param>
public sealed record HistoryViolation(ViolationKind Kind, Verification Verification, RevokeCall? Revocation = null)
{
    public override string ToString() => Revocation is { } revocation
        ? $"{Kind}: {Verification.Session} at {Verification.Verifier}, started {Verification.Started}, acknowledged {revocation.Acknowledged} ({(Verification.Started - revocation.Acknowledged)?.TotalMilliseconds} ms before)"
        : $"{Kind}: {Verification.Session} at {Verification.Verifier}, {Verification.Started} to {Verification.Ended}";
}
