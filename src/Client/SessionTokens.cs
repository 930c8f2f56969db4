namespace Grid.Client;

/// <summary>A token and its lifetime.</summary>
/// <param name="Text">The token itself.</param>
/// <param name="CreatedAt">When it was issued.</param>
/// <param name="ExpiresAt">When it expires.</param>
public sealed record IssuedToken(string Text, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>Leaves out the token.</summary>
    public override string ToString() => "[token]";
}

/// <summary>A session's tokens, as a create or a refresh issues them.</summary>
/// <param name="Access">Short-lived and signed; sent with every request. Whoever holds it acts as the user until it expires or the session
/// is revoked.</param>
/// <param name="Refresh">A secret that can be exchanged for new tokens once. The session expires with it.</param>
/// <param name="AntiCsrf">The anti-CSRF token that <paramref name="Access"/> is bound to; null if none was asked for.</param>
public sealed record SessionTokens(IssuedToken Access, IssuedToken Refresh, string? AntiCsrf)
{
    /// <summary>Leaves out the tokens.</summary>
    public override string ToString() => "[session tokens]";
}
