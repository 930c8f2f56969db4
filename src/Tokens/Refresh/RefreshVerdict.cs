namespace Grid.Tokens.Refresh;

/// <summary>What presenting a refresh token leads to: decided by the rotation rules, or by the session's grain where it does not come to them. Numbers are on the wire.</summary>
public enum RefreshVerdict
{
    /// <summary>The candidate is current now, the presented token previous.</summary>
    Rotated = 0,

    /// <summary>No rule was asked: the session is missing, expired or revoked.</summary>
    NotFound = 1,

    /// <summary>A retired token. By the newer rules the session is revoked already; by the older ones the SDK does it.</summary>
    Reuse = 2,

    /// <summary>The store is unavailable and the outcome unknown; the presented token stays usable: answer 503.</summary>
    Unavailable = 3,

    /// <summary>The stored payload holds a claim that is protected in the token format asked for. Nothing was changed.</summary>
    ProtectedClaim = 4,

    /// <summary>The access token would be longer than it may be. Nothing was changed.</summary>
    TokenTooLong = 5,

    /// <summary>The presented token was replaced a moment ago: the candidate displaces the one that replaced it.</summary>
    RotatedWithinGrace = 6,

    /// <summary>Older rules: the candidate is a child that becomes current on first use; the chain is unchanged.</summary>
    Child = 7,

    /// <summary>Older rules: the presented child was made current by this use; the candidate is its child.</summary>
    ChildAfterPromotion = 8,
}
