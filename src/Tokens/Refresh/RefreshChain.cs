namespace Grid.Tokens.Refresh;

/// <summary>Which refresh tokens of a session are alive: one current and, inside the grace period, one previous.</summary>
/// <param name="Current">Stored hash (see <see cref="TokenHash.HashOfHex"/>) of the current token.</param>
/// <param name="Previous">Stored hash of the token that <paramref name="Current"/> replaced; null on a session that never rotated.</param>
/// <param name="RotatedAt">When <paramref name="Previous"/> was replaced; null with it.</param>
public sealed record RefreshChain(TokenHash Current, TokenHash? Previous = null, DateTimeOffset? RotatedAt = null);
