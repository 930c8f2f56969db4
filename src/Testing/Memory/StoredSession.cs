using Grid.Abstractions.Sessions;
using Grid.Tokens;

namespace Grid.Testing.Memory;

/// <summary>A session in memory.</summary>
internal sealed class StoredSession
{
    public required SessionRecord Row { get; set; }

    /// <summary>So that a browser's tabs that refresh at once get one answer.</summary>
    public Refresh? LastRefresh { get; set; }

    /// <param name="Presented">Stored hash of the token that was exchanged.</param>
    /// <param name="RefreshToken">What it was exchanged for.</param>
    /// <param name="AntiCsrf">The anti-CSRF token of that answer.</param>
    /// <param name="At">By the clock's ticks.</param>
    internal sealed record Refresh(TokenHash Presented, string RefreshToken, string? AntiCsrf, long At);
}
