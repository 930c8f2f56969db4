using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;
using Grid.Tokens.Access;

namespace Grid.AspNetCore.Authentication;

/// <summary>Claims of principals become a session's payload, and the payload becomes claims again.</summary>
internal static class PayloadClaims
{
    /// <summary>In <see cref="GridOptions.PrincipalClaims"/>: every claim that is not a secret of the identity store.</summary>
    public const string All = "*";

    /// <summary>How claims without a type of their own, such as objects, are typed; JSON Web Token libraries do so too.</summary>
    private const string JsonValueType = "JSON";

    // Who the session belongs to; claims with these types come from the session, never from its payload. Types ignore case.
    private static readonly HashSet<string> OfTheSession = new(StringComparer.OrdinalIgnoreCase) { ClaimTypes.NameIdentifier, ClaimTypes.Name, ClaimTypes.Role, "sub", "sid", "tid", SignInProperties.UntilClosed };

    // What an identity provider's token says of itself: in another token it would be untrue.
    private static readonly HashSet<string> OfAnotherToken = new(StringComparer.Ordinal) { "aud", "azp", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash" };

    /// <summary>What of a principal is kept in the payload; <see cref="GridOptions.PrincipalClaims"/> says what.</summary>
    /// <param name="user">Who signs in.</param>
    /// <param name="userId">The user id that was found in it.</param>
    /// <param name="options">The options.</param>
    /// <param name="now">When the roles were read.</param>
    /// <param name="leftOut">Types of claims that are not kept.</param>
    public static JsonObject ToPayload(ClaimsPrincipal user, string userId, GridOptions options, DateTimeOffset now, out IReadOnlyList<string> leftOut)
    {
        var payload = new JsonObject();
        var wanted = options.PrincipalClaims;
        var all = wanted.Contains(All);
        var withName = all || wanted.Contains(ClaimTypes.Name);
        var withRoles = all || wanted.Contains(ClaimTypes.Role);
        List<string> others = [];
        foreach (var group in user.Claims.Where(claim => !(withName && IsName(claim)) && !(withRoles && IsRole(claim))).GroupBy(claim => claim.Type))
        {
            if (IsReserved(group.Key))
            {
                continue;
            }

            // Scripts can read the payload, and principals carry claims that must stay private.
            if (wanted.Contains(group.Key) || (all && !IsSecret(group.Key) && !OfAnotherToken.Contains(group.Key)))
            {
                JsonNode?[] values = [.. group.Select(Value)];
                payload[group.Key] = values.Length == 1 ? values[0] : new JsonArray(values);
            }
            else
            {
                others.Add(group.Key);
            }
        }

        if (withName && options.NameClaimType != "sub"
            && user.Identities.Select(identity => identity.Name).FirstOrDefault(name => !string.IsNullOrEmpty(name)) is { } name && name != userId)
        {
            payload[options.NameClaimType] = name;
        }

        string[] roles = withRoles ? [.. user.Claims.Where(IsRole).Select(claim => claim.Value).Distinct()] : [];
        if (roles.Length > 0)
        {
            payload[options.RoleClaimType] = SessionClaim.Entry(new JsonArray([.. roles.Select(role => (JsonNode)role)]), now);
        }

        leftOut = others;
        return payload;

        // An identity says which of its claims are the name and the roles.
        static bool IsName(Claim claim) => claim.Type == ClaimTypes.Name || claim.Type == claim.Subject?.NameClaimType;

        static bool IsRole(Claim claim) => claim.Type == ClaimTypes.Role || claim.Type == claim.Subject?.RoleClaimType;
    }

    /// <summary>The claims of a session, without <c>NameIdentifier</c>.</summary>
    public static List<Claim> Of(string userId, string handle, string tenantId, JsonElement payload, GridOptions options, ClaimsIdentity subject)
    {
        List<Claim> claims = [];
        Add("sub", userId, ClaimValueTypes.String);
        Add("sid", handle, ClaimValueTypes.String);
        Add("tid", tenantId, ClaimValueTypes.String);
        if (payload.ValueKind != JsonValueKind.Object)
        {
            return claims;
        }

        if (options.NameClaimType != "sub" && payload.TryGetProperty(options.NameClaimType, out var name) && Unwrap(name) is { ValueKind: JsonValueKind.String } text)
        {
            Add(ClaimTypes.Name, text.GetString()!, ClaimValueTypes.String);
        }

        if (payload.TryGetProperty(options.RoleClaimType, out var roles))
        {
            AddRoles(Unwrap(roles));
        }

        foreach (var member in payload.EnumerateObject())
        {
            if (OfTheSession.Contains(member.Name))
            {
                continue;
            }

            var value = Unwrap(member.Value);
            if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in value.EnumerateArray())
                {
                    AddValue(member.Name, item);
                }
            }
            else
            {
                AddValue(member.Name, value);
            }
        }

        return claims;

        // Strings only: 1 and true are no role's name.
        void AddRoles(JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                Add(ClaimTypes.Role, value.GetString()!, ClaimValueTypes.String);
            }
            else if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String))
                {
                    Add(ClaimTypes.Role, item.GetString()!, ClaimValueTypes.String);
                }
            }
        }

        void AddValue(string type, JsonElement value)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    Add(type, value.GetString()!, ClaimValueTypes.String);
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    Add(type, value.GetRawText(), ClaimValueTypes.Boolean);
                    break;
                case JsonValueKind.Number:
                    Add(type, value.GetRawText(), value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double);
                    break;
                case JsonValueKind.Object or JsonValueKind.Array:
                    Add(type, value.GetRawText(), JsonValueType);
                    break;
                default:
                    break;
            }
        }

        void Add(string type, string value, string valueType) => claims.Add(new Claim(type, value, valueType, ClaimsIdentity.DefaultIssuer, ClaimsIdentity.DefaultIssuer, subject));
    }

    /// <summary>Whether Grid sets this claim of an access token itself.</summary>
    public static bool IsReserved(string type) =>
        type is ClaimTypes.NameIdentifier or "sid" or "tid" or "iss"
        || ProtectedClaims.FindIn(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, int> { [type] = 0 }), AccessTokenVersion.V5) is not null;

    /// <summary>Whether a claim of this type is a secret of the identity store.</summary>
    public static bool IsSecret(string type) => type.Contains("SecurityStamp", StringComparison.OrdinalIgnoreCase);

    // What is kept as {"v": value, "t": milliseconds} is its value.
    private static JsonElement Unwrap(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("v"u8, out var inner) && value.TryGetProperty("t"u8, out _) ? inner : value;

    private static JsonNode? Value(Claim claim)
    {
        switch (claim.ValueType)
        {
            case ClaimValueTypes.Boolean when bool.TryParse(claim.Value, out var flag):
                return flag;
            case ClaimValueTypes.Integer or ClaimValueTypes.Integer32 or ClaimValueTypes.Integer64
                when long.TryParse(claim.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number):
                return number;
            case JsonValueType:
                try
                {
                    return JsonNode.Parse(claim.Value);
                }
                catch (JsonException)
                {
                    return claim.Value;
                }

            default:
                return claim.Value;
        }
    }
}
