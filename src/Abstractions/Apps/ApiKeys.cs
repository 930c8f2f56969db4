using System.Buffers;
using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>API keys as operators write them: comma-separated, each at least 20 characters of <c>A-Za-z0-9=-</c>.</summary>
public static class ApiKeys
{
    private const int MinLength = 20;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=-");

    /// <summary>Hashes the keys, of which there must be at least one. The error says what a key must look like, and never contains one.</summary>
    public static bool TryParse(string text, out ImmutableArray<TokenHash> hashes, out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        hashes = [];
        error = null;
        foreach (var key in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (key.Length < MinLength)
            {
                error = "One of the API keys is too short. Please use at least 20 characters";
                return false;
            }

            if (key.AsSpan().ContainsAnyExcept(Alphabet))
            {
                error = "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)";
                return false;
            }

            hashes = hashes.Add(TokenHash.Of(key));
        }

        if (hashes.IsEmpty)
        {
            // Treated as "no keys" it would open an app that was meant to be locked.
            error = "api_keys holds no API key. Please give one of at least 20 characters, or leave it out (null) for none of its own";
            return false;
        }

        return true;
    }
}
