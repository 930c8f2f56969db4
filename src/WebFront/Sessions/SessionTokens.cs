namespace Grid.WebFront.Sessions;

/// <summary>A token and its life.</summary>
/// <param name="Text">The token.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends.</param>
public sealed record IssuedToken(string Text, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>Not the token.</summary>
    public override string ToString() => "[token]";
}

/// <summary>What a client is handed after a create or a refresh.</summary>
/// <param name="Access">Short-lived, signed.</param>
/// <param name="Refresh">Secret, rotates on use.</param>
/// <param name="AntiCsrf">Only if asked for.</param>
public sealed record SessionTokens(IssuedToken Access, IssuedToken Refresh, string? AntiCsrf)
{
    /// <summary>Not the tokens.</summary>
    public override string ToString() => "[session tokens]";
}
