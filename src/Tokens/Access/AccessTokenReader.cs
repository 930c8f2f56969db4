using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Grid.Tokens.Access;

/// <summary>Parses access tokens without trusting them.</summary>
internal static class AccessTokenReader
{
    // A cookie holds 4 KiB, headers 32 KiB: a longer token cannot be one of ours.
    public const int MaxLength = 32 * 1024;

    private const int MaxDepth = 32;

    /// <summary>Reads key id and version; refuses every header that is not ours, including those that bring their own key.</summary>
    public static bool TryReadHeader(ReadOnlySpan<char> encoded, [NotNullWhen(true)] out string? kid, out AccessTokenVersion version)
    {
        kid = null;
        version = default;
        Span<byte> header = stackalloc byte[512];
        if (!CanonicalBase64Url.TryDecode(encoded, header, out var length))
        {
            return false;
        }

        try
        {
            var json = new Utf8JsonReader(header[..length], new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            bool type = false, algorithm = false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                // Four members are known, each once and a string; jwk, jku, x5c, crit and the rest are refused with what is unknown.
                var isKid = json.ValueTextEquals("kid"u8);
                var isType = json.ValueTextEquals("typ"u8);
                var isVersion = json.ValueTextEquals("version"u8);
                var isAlgorithm = json.ValueTextEquals("alg"u8);
                if (!json.Read() || json.TokenType != JsonTokenType.String)
                {
                    return false;
                }

                if (isKid && kid is null)
                {
                    kid = json.GetString();
                }
                else if (isType && !type && json.ValueTextEquals("JWT"u8))
                {
                    type = true;
                }
                else if (isAlgorithm && !algorithm && json.ValueTextEquals("RS256"u8))
                {
                    algorithm = true;
                }
                else if (isVersion && version == default)
                {
                    version = json.ValueTextEquals("5"u8) ? AccessTokenVersion.V5
                        : json.ValueTextEquals("4"u8) ? AccessTokenVersion.V4
                        : json.ValueTextEquals("3"u8) ? AccessTokenVersion.V3
                        : default;
                    if (version == default)
                    {
                        return false;
                    }
                }
                else
                {
                    return false;
                }
            }

            return type && algorithm && version != default && !string.IsNullOrEmpty(kid) && json.TokenType == JsonTokenType.EndObject && !json.Read();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Reads the claims, and reassembles the user's as one object with each value's original text.</summary>
    public static AccessTokenContent? ReadClaims(ReadOnlySpan<char> encoded, AccessTokenVersion version)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Base64Url.GetMaxDecodedLength(encoded.Length));
        try
        {
            return CanonicalBase64Url.TryDecode(encoded, rented, out var length) ? ReadClaims(rented.AsSpan(0, length), version) : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static AccessTokenContent? ReadClaims(ReadOnlySpan<byte> claims, AccessTokenVersion version)
    {
        var json = new Utf8JsonReader(claims, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        string? user = null, tenant = null, recipeUser = null, handle = null, hash = null, parent = null, antiCsrf = null;
        long issued = -1, expires = -1;
        var payload = new PayloadSlice(claims.Length);
        var seen = 0;
        HashSet<string>? names = null;
        string? firstName = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var nameStart = (int)json.TokenStartIndex;
            var name = ClaimOf(ref json, version);

            // A claim twice: readers would differ in which one they take. Those of the user's claims too, since other readers see them all.
            if (name != Claim.Payload)
            {
                var bit = 1 << (int)name;
                if ((seen & bit) != 0)
                {
                    return null;
                }

                seen |= bit;
            }
            else if (firstName is null)
            {
                firstName = json.GetString();
            }
            else if (!(names ??= [firstName]).Add(json.GetString()!))
            {
                return null;
            }

            json.Read();
            switch (name)
            {
                case Claim.Subject:
                    user = json.GetString();
                    break;
                case Claim.ExpiresAt:
                    expires = json.GetInt64();
                    break;
                case Claim.IssuedAt:
                    issued = json.GetInt64();
                    break;
                case Claim.Tenant:
                    tenant = json.GetString();
                    break;
                case Claim.RecipeUser:
                    recipeUser = json.GetString();
                    break;
                case Claim.Handle:
                    handle = json.GetString();
                    break;
                case Claim.Hash:
                    hash = json.GetString();
                    break;
                case Claim.Parent:
                    parent = json.GetString();
                    break;
                case Claim.AntiCsrf:
                    antiCsrf = json.GetString();
                    break;
                default:
                    json.Skip();
                    payload.Add(nameStart, (int)json.BytesConsumed);
                    break;
            }
        }

        if (user is null || handle is null || expires < 0 || issued < 0 || !IsHash(hash) || (parent is not null && !IsHash(parent))
            || (tenant is null && version >= AccessTokenVersion.V4) || (recipeUser is null && version >= AccessTokenVersion.V5)
            || json.TokenType != JsonTokenType.EndObject || json.Read())
        {
            return null;
        }

        // The handle is what the session is found by, so its tenant is the token's.
        var end = handle.IndexOf('_', StringComparison.Ordinal);
        var handlesTenant = end < 0 ? "public" : handle[(end + 1)..];
        if (tenant is not null && tenant != handlesTenant)
        {
            return null;
        }

        return new AccessTokenContent
        {
            Version = version,
            UserId = user,
            IssuedAt = DateTimeOffset.FromUnixTimeSeconds(issued),
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(expires),
            TenantId = handlesTenant,
            RecipeUserId = recipeUser ?? user,
            SessionHandle = handle,
            RefreshTokenHash1 = hash!,
            ParentRefreshTokenHash1 = parent,
            AntiCsrfToken = antiCsrf,
            PayloadJson = payload.ToJson(claims),
        };
    }

    private static bool IsHash(string? hex) => TokenHash.TryParseHex(hex, out _);

    private static Claim ClaimOf(ref Utf8JsonReader name, AccessTokenVersion version)
    {
        if (!ProtectedClaims.IsProtected(ref name, version))
        {
            return Claim.Payload;
        }

        return name.ValueTextEquals(ProtectedClaims.Subject) ? Claim.Subject
            : name.ValueTextEquals(ProtectedClaims.ExpiresAt) ? Claim.ExpiresAt
            : name.ValueTextEquals(ProtectedClaims.IssuedAt) ? Claim.IssuedAt
            : name.ValueTextEquals(ProtectedClaims.TenantId) ? Claim.Tenant
            : name.ValueTextEquals(ProtectedClaims.RecipeUserId) ? Claim.RecipeUser
            : name.ValueTextEquals(ProtectedClaims.SessionHandle) ? Claim.Handle
            : name.ValueTextEquals(ProtectedClaims.RefreshTokenHash1) ? Claim.Hash
            : name.ValueTextEquals(ProtectedClaims.ParentRefreshTokenHash1) ? Claim.Parent
            : Claim.AntiCsrf;
    }

    private enum Claim
    {
        Payload,
        Subject,
        ExpiresAt,
        IssuedAt,
        Tenant,
        RecipeUser,
        Handle,
        Hash,
        Parent,
        AntiCsrf,
    }

    /// <summary>Position of the user's claims. In our own tokens they are one run at the end; in others they may be scattered.</summary>
    private ref struct PayloadSlice(int length)
    {
        private int _start = length;
        private int _end;
        private List<Range>? _scattered;

        public void Add(int start, int end)
        {
            if (_end == 0)
            {
                (_start, _end) = (start, end);
                return;
            }

            _scattered ??= [_start.._end];
            _scattered.Add(start..end);
            _end = end;
        }

        public readonly string ToJson(ReadOnlySpan<byte> claims)
        {
            if (_end == 0)
            {
                return "{}";
            }

            if (_scattered is null)
            {
                return $"{{{Encoding.UTF8.GetString(claims[_start.._end])}}}";
            }

            var json = new StringBuilder("{");
            foreach (var member in _scattered)
            {
                json.Append(json.Length > 1 ? "," : "").Append(Encoding.UTF8.GetString(claims[member]));
            }

            return json.Append('}').ToString();
        }
    }
}
