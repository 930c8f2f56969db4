using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>What an access token can carry. It is asked at every mint, not only where a payload comes in: what an older token format took may be protected in a newer one.</summary>
internal static class PayloadRules
{
    /// <summary>Characters of a user id; what the store's neighbours take too.</summary>
    public const int MaxUserIdLength = 128;

    /// <exception cref="SessionRefusedException">No token can be made for this user.</exception>
    public static void CheckUserId(string userId)
    {
        if (userId.Length > MaxUserIdLength || userId.Contains('\0', StringComparison.Ordinal))
        {
            throw new SessionRefusedException($"A user id may have at most {MaxUserIdLength} characters, none of them U+0000");
        }
    }

    /// <exception cref="SessionRefusedException">The payload is too large, or has a protected claim.</exception>
    public static void Check(string payloadJson, AccessTokenVersion version)
    {
        CheckProtected(payloadJson, version);
        var size = AccessTokenSize.OfPayload(payloadJson);
        if (size > AccessTokenSize.MaxPayload)
        {
            throw new SessionRefusedException(
                $"Field name 'userDataInJWT' has {size} bytes and may have at most {AccessTokenSize.MaxPayload}: the access token has to carry it");
        }
    }

    /// <exception cref="SessionRefusedException">The payload has a claim that is protected in this format.</exception>
    public static void CheckProtected(string payloadJson, AccessTokenVersion version)
    {
        if (ProtectedClaims.FindIn(payloadJson, version) is not null)
        {
            throw new SessionRefusedException(SessionRefusedException.ProtectedField);
        }
    }
}
