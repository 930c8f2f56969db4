using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>A token with a valid signature, and the key that verified it.</summary>
internal sealed record RememberedToken(AccessTokenContent Content, SigningKey Key);

/// <summary>A bounded cache of verified tokens in two generations: the older one is dropped when the younger is full.</summary>
/// <remarks>A token in use moves to the younger generation, so tokens that were not used lately are forgotten. Reads take no lock.</remarks>
internal sealed class RememberedTokens(int capacity)
{
    private readonly int _perGeneration = capacity / 2;
    private readonly Lock _turning = new();
    private ConcurrentDictionary<TokenHash, RememberedToken> _young = new();
    private ConcurrentDictionary<TokenHash, RememberedToken> _old = new();
    private int _youngCount;

    public bool TryGet(TokenHash hash, [NotNullWhen(true)] out RememberedToken? token)
    {
        if (Volatile.Read(ref _young).TryGetValue(hash, out token))
        {
            return true;
        }

        if (!Volatile.Read(ref _old).TryGetValue(hash, out token))
        {
            return false;
        }

        Add(hash, token);
        return true;
    }

    public void Add(TokenHash hash, RememberedToken token)
    {
        if (_perGeneration == 0 || !Volatile.Read(ref _young).TryAdd(hash, token) || Interlocked.Increment(ref _youngCount) < _perGeneration)
        {
            return;
        }

        lock (_turning)
        {
            if (Volatile.Read(ref _youngCount) >= _perGeneration)
            {
                Volatile.Write(ref _old, _young);
                Volatile.Write(ref _young, new ConcurrentDictionary<TokenHash, RememberedToken>());
                Volatile.Write(ref _youngCount, 0);
            }
        }
    }
}
