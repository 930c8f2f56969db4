using Grid.Tokens;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>The caller, for the log: the short id of its API key, which distinguishes keys and reveals nothing about them.</summary>
internal static class CoreActor
{
    /// <summary>A caller without a key.</summary>
    public const string NoKey = "no key";

    private const int IdLength = 8;

    public static string Of(HttpContext context) => CoreGate.PresentedKey(context.Request) is { Length: > 0 } key ? IdOf(key) : NoKey;

    /// <summary>The first digits of a hash of the key's stored hash; neither can be derived from it.</summary>
    public static string IdOf(string key) => "key " + IdOf(TokenHash.Of(key));

    /// <summary>The same of a key of which only the hash is known, without the word before it.</summary>
    public static string IdOf(TokenHash key) => key.HashOfHex().ToHex()[..IdLength];
}
