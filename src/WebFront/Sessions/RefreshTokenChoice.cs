using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;

namespace Grid.WebFront.Sessions;

/// <summary>Which of several refresh tokens that a browser sent is its own: a sibling domain may have put another beside it.</summary>
internal static class RefreshTokenChoice
{
    /// <summary>The only token that is ours, of this app, and would be exchanged; null if two sessions have one.</summary>
    /// <remarks>A retired token is left alone while a living one is there: it would pass for theft. If there is nothing else, the first is taken and judged as ever.</remarks>
    /// <param name="presented">As they came.</param>
    /// <param name="mac">Of the app's key ring.</param>
    /// <param name="app">Where.</param>
    /// <param name="read">A session, null if it has ended.</param>
    /// <param name="olderRules">The client's.</param>
    /// <param name="now">The present.</param>
    public static async ValueTask<string?> OnlyRightAsync(
        IReadOnlyList<string> presented, RefreshMacKey mac, AppSnapshot app, Func<SessionHandle, ValueTask<SessionRecord?>> read, bool olderRules, DateTimeOffset now)
    {
        List<(string Token, RefreshTokenContent Content, SessionHandle Handle)> right = [];
        foreach (var token in presented)
        {
            if (RefreshTokenCodec.TryRead(token, mac, out var content) && content.App == app.App.ToString() && SessionHandle.TryParse(content.SessionHandle, out var handle))
            {
                right.Add((token, content, handle));
            }
        }

        if (right.Count <= 1)
        {
            return right.Count == 1 ? right[0].Token : presented[0];
        }

        (string Token, SessionHandle Handle, bool IsPrevious)? living = null;
        foreach (var (token, content, handle) in right)
        {
            if (await read(handle) is not { } session)
            {
                continue;
            }

            var hash = TokenHash.Of(token).HashOfHex();
            var decision = RefreshRotation.DecideRefresh(
                session.Chain, hash, content.ParentHash1?.HashOfHex(), hash, olderRules, app.Settings.RefreshRotationGrace, now);
            if (decision.Verdict == RefreshVerdict.Reuse)
            {
                continue;
            }

            if (living is { } other && other.Handle != handle)
            {
                return null;
            }

            // Of one session's: the newer.
            if (living is null || living.Value.IsPrevious)
            {
                living = (token, handle, decision.Verdict == RefreshVerdict.RotatedWithinGrace);
            }
        }

        return living?.Token ?? (right.All(one => one.Handle == right[0].Handle) ? right[0].Token : null);
    }
}
