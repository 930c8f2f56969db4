using System.Buffers;
using System.Text;
using Grid.Client;

namespace Grid.AspNetCore.Authentication;

/// <summary>What a user id at a sign-in must not have in it. It may be a name that somebody typed: that is an error of the request, and none of the application.</summary>
internal static class SignInName
{
    /// <summary>The user id itself.</summary>
    /// <exception cref="UnusableNameException">It cannot be stored: U+0000 or half of a surrogate pair is in it.</exception>
    public static string Require(string userId, string field)
    {
        if (userId.Contains('\0', StringComparison.Ordinal))
        {
            throw new UnusableNameException($"{field} has the character U+0000 in it, which cannot be stored.");
        }

        for (var rest = userId.AsSpan(); rest.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var length) != OperationStatus.Done)
            {
                throw new UnusableNameException($"{field} has half of a surrogate pair in it, which is no character.");
            }

            rest = rest[length..];
        }

        return userId;
    }
}

/// <summary>See <see cref="SignInName"/>: answered with 400 and this message.</summary>
internal sealed class UnusableNameException(string message) : GridException(GridFailure.Refused, message);
