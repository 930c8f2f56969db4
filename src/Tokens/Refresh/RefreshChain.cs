namespace Grid.Tokens.Refresh;

/// <summary>A session's usable refresh tokens: the current one and, within the grace period, the previous one.</summary>
/// <param name="Current">Stored hash (see <see cref="TokenHash.HashOfHex"/>) of the current token.</param>
/// <param name="Previous">Stored hash of the token that <paramref name="Current"/> replaced; null on a session that never rotated.</param>
/// <param name="RotatedAt">When <paramref name="Previous"/> was replaced; null with it.</param>
public sealed record RefreshChain(TokenHash Current, TokenHash? Previous = null, DateTimeOffset? RotatedAt = null);
