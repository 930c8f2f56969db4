namespace Grid.Tokens.Access;

/// <summary>Why an access token was accepted or refused.</summary>
public enum AccessTokenOutcome
{
    /// <summary>Valid and not expired.</summary>
    Valid,

    /// <summary>Not one of our formats.</summary>
    Malformed,

    /// <summary>Signed by a key that is not in the ring: reload the ring once, then decide.</summary>
    UnknownKey,

    /// <summary>Changed, or signed with another key of that id.</summary>
    BadSignature,

    /// <summary>Signed by us, but expired: refreshing may help.</summary>
    Expired,
}

/// <summary>Outcome of a check.</summary>
/// <param name="Outcome">Whether and why.</param>
/// <param name="Content">Set with <see cref="AccessTokenOutcome.Valid"/> and <see cref="AccessTokenOutcome.Expired"/>: its signature was good.</param>
public readonly record struct AccessTokenCheck(AccessTokenOutcome Outcome, AccessTokenContent? Content = null);
