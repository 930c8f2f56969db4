using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;

namespace Grid.WebFront.Sessions;

/// <summary>Chooses among several refresh tokens that a browser sent: a sibling domain may have set a cookie beside ours.</summary>
internal static class RefreshTokenChoice
{
    /// <summary>The one token that is genuine, of this app, and exchangeable; null if tokens of two sessions are.</summary>
    /// <remarks>
    /// A retired token is ignored if there is a current one, since presenting it would count as theft. If there is no current one, the
    /// first is used and judged as usual.
    /// </remarks>
    /// <param name="presented">The tokens as presented.</param>
    /// <param name="ring">The app's keys.</param>
    /// <param name="app">The app.</param>
    /// <param name="read">Reads a session; null if it has ended.</param>
    /// <param name="olderRules">Whether the client follows the older rules.</param>
    /// <param name="now">The current time.</param>
    public static async ValueTask<string?> OnlyRightAsync(
        IReadOnlyList<string> presented, KeyRing ring, AppSnapshot app, Func<SessionHandle, ValueTask<SessionRecord?>> read, bool olderRules, DateTimeOffset now)
    {
        List<(string Token, RefreshTokenContent Content, SessionHandle Handle)> right = [];
        foreach (var token in presented)
        {
            if (RefreshTokens.TryRead(token, ring, app.App.ToString(), out var content) && SessionHandle.TryParse(content.SessionHandle, out var handle))
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

            // Of two tokens of the same session, the newer.
            if (living is null || living.Value.IsPrevious)
            {
                living = (token, handle, decision.Verdict == RefreshVerdict.RotatedWithinGrace);
            }
        }

        return living?.Token ?? (right.All(one => one.Handle == right[0].Handle) ? right[0].Token : null);
    }
}
