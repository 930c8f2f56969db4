using Grid.Tokens;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>Who asked, for the log: the short id of an API key, which tells keys apart and nothing of a key.</summary>
internal static class CoreActor
{
    /// <summary>Who asked without one.</summary>
    public const string NoKey = "no key";

    private const int IdLength = 8;

    public static string Of(HttpContext context) => CoreGate.PresentedKey(context.Request) is { Length: > 0 } key ? IdOf(key) : NoKey;

    /// <summary>The first digits of the hash of the key's stored hash: neither of them can be found from it.</summary>
    public static string IdOf(string key) => "key " + TokenHash.Of(key).HashOfHex().ToHex()[..IdLength];
}
