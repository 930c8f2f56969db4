using Grid.Abstractions.Sessions;
using Grid.Tokens;

namespace Grid.Grains.Tests;

/// <summary>A session and its first refresh token; here tokens are just strings with a known parent.</summary>
internal sealed record TestSession(ISessionGrain Grain, SessionKey Key, string UserId, string Token)
{
    public static TokenHash Hash(string token) => TokenHash.Of(token).HashOfHex();

    /// <summary>Presents <paramref name="token"/>, asking for <paramref name="candidate"/> in exchange.</summary>
    public Task<RefreshResult> RefreshAsync(
        string token, string candidate, string? parent = null, bool olderRules = false, TimeSpan? grace = null, TimeSpan joinWithin = default) => Grain.RefreshAsync(
        new RefreshRequest
        {
            Presented = Hash(token),
            PresentedParent = parent is null ? null : Hash(parent),
            CandidateToken = candidate,
            CandidateAntiCsrf = null,
            OlderRules = olderRules,
            UseDynamicKey = null,
            RefreshTokenValidity = TimeSpan.FromDays(100),
            Grace = grace ?? TimeSpan.FromSeconds(30),
            JoinWithin = joinWithin,
        },
        CancellationToken.None);
}
