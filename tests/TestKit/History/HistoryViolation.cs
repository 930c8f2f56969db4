namespace Grid.TestKit.History;

/// <summary>What is wrong with an answer.</summary>
public enum ViolationKind
{
    /// <summary>Accepted, although a revocation that covers the session had been acknowledged before the request started.</summary>
    AcceptedAfterAcknowledgement = 1,

    /// <summary>Refused, although the session had been made, had not expired, and nobody had begun to revoke it.</summary>
    RefusedWithoutCause = 2,

    /// <summary>A refresh token that nothing had replaced was held to be stolen.</summary>
    FalseTheft = 3,

    /// <summary>A refresh token that had been answered, and that nothing had replaced, was refused.</summary>
    RefreshLost = 4,

    /// <summary>A session that was acknowledged, and that nobody had begun to revoke, is not in the store.</summary>
    SessionLost = 5,

    /// <summary>A session whose revocation was acknowledged is in the store.</summary>
    RevocationLost = 6,

    /// <summary>One call made two rows.</summary>
    DuplicateRow = 7,

    /// <summary>A session that nobody asked for is in the store.</summary>
    UnknownRow = 8,
}

/// <summary>An answer that must not have been given, or a row that must not be, or be missing.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Verification">The answer. Of a row: accepted if it is there.</param>
/// <param name="Revocation">With <see cref="ViolationKind.AcceptedAfterAcknowledgement"/> and <see cref="ViolationKind.RevocationLost"/>: the first that was acknowledged.</param>
public sealed record HistoryViolation(ViolationKind Kind, Verification Verification, RevokeCall? Revocation = null)
{
    public override string ToString() => Revocation is { } revocation
        ? $"{Kind}: {Verification.Session} at {Verification.Verifier}, started {Verification.Started}, acknowledged {revocation.Acknowledged} ({(Verification.Started - revocation.Acknowledged)?.TotalMilliseconds} ms before)"
        : $"{Kind}: {Verification.Session} at {Verification.Verifier}, {Verification.Started} to {Verification.Ended}";
}
