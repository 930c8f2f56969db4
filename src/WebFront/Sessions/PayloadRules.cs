using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>
/// What an access token may carry. Checked whenever one is minted, not only when a payload comes in: a claim that an older token format
/// allowed may be protected in a newer one.
/// </summary>
internal static class PayloadRules
{
    /// <summary>Maximum length of a user id in characters, as in comparable systems.</summary>
    public const int MaxUserIdLength = 128;

    /// <exception cref="SessionRefusedException">The user id is too long or has a zero character.</exception>
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
