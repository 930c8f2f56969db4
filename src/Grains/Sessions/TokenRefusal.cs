using Grid.Abstractions.Sessions;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Sessions;

/// <summary>Whether an access token can be issued for a session at all. Checked before a rotation: a caller that could not be answered after it would come back with a retired refresh token.</summary>
internal static class TokenRefusal
{
    /// <summary>Why no access token can be issued for this row; null if one can.</summary>
    public static RefreshResult? Of(SessionRecord row, RefreshRequest request, DateTimeOffset now)
    {
        if (request.TokenVersion == default)
        {
            return null;
        }

        if (ProtectedClaims.FindIn(row.PayloadJson, request.TokenVersion) is not null)
        {
            return new RefreshResult { Verdict = RefreshVerdict.ProtectedClaim };
        }

        if (row.RecipeUserId is null && AccessTokenSize.IsCertainlyWithin(request.MaxTokenLength, row.UserId, row.PayloadJson))
        {
            return null;
        }

        var length = AccessTokenSize.Of(new AccessTokenContent
        {
            Version = request.TokenVersion,
            UserId = row.UserId,
            IssuedAt = now,
            ExpiresAt = now,
            TenantId = row.Key.Handle.TenantId,
            RecipeUserId = row.RecipeUserId ?? row.UserId,
            SessionHandle = row.Key.Handle.ToString(),
            RefreshTokenHash1 = request.Presented.ToHex(),
            ParentRefreshTokenHash1 = request.OlderRules ? request.Presented.ToHex() : null,
            AntiCsrfToken = request.CandidateAntiCsrf,
            PayloadJson = row.PayloadJson,
        });
        return length > request.MaxTokenLength ? new RefreshResult { Verdict = RefreshVerdict.TokenTooLong, TokenLength = length } : null;
    }
}
