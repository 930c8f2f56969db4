using System.Text;

namespace Grid.Adversary.Tests.Strangers.Fuzz;

/// <summary>Requests as well-behaved clients make them: what the mutations begin with. Every route of core and front is among them.</summary>
internal sealed class Corpus
{
    private readonly List<Sample> _samples = [];
    private readonly List<string> _messages = [];

    /// <param name="prefix">Path prefix of the app whose key the fuzzer holds.</param>
    /// <param name="key">Its key.</param>
    /// <param name="handle">A session of that app.</param>
    /// <param name="access">Its access token.</param>
    /// <param name="refresh">Its refresh token.</param>
    public Corpus(string prefix, string key, string handle, string access, string refresh)
    {
        foreach (var tenant in new[] { "", "/public", "/t1" })
        {
            AddCore(prefix + tenant, key, handle, access, refresh);
        }

        AddFront(access, refresh);
        AddMessages(handle);
    }

    public IReadOnlyList<Sample> Samples => _samples;

    /// <summary>Messages of the holders' WebSocket.</summary>
    public IReadOnlyList<string> Messages => _messages;

    private void AddCore(string at, string key, string handle, string access, string refresh)
    {
        Core("POST", "/recipe/session", """{"userId":"u","enableAntiCsrf":true,"userDataInJWT":{"a":[1,2,{"b":null}]},"userDataInDatabase":{"c":"d"},"useDynamicSigningKey":true}""");
        Core("GET", $"/recipe/session?sessionHandle={handle}");
        Core("POST", "/recipe/session/remove", $$"""{"sessionHandles":["{{handle}}x","00000000-0000-7000-8000-000000000000"]}""");
        Core("POST", "/recipe/session/remove", """{"userId":"somebody","revokeAcrossAllTenants":true}""");
        Core("POST", "/recipe/session/verify", $$"""{"accessToken":"{{access}}","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":true,"antiCsrfToken":"x"}""");
        Core("POST", "/recipe/session/refresh", $$"""{"refreshToken":"{{refresh}}","enableAntiCsrf":false,"useDynamicSigningKey":true,"antiCsrfToken":"x","joinWithin":1000}""");
        Core("GET", "/recipe/session/user?userId=u&fetchAcrossAllTenants=true");
        Core("POST", "/recipe/session/regenerate", $$$"""{"accessToken":"{{{access}}}","userDataInJWT":{"a":1}}""");
        Core("PUT", "/recipe/session/data", $$$"""{"sessionHandle":"{{{handle}}}","userDataInDatabase":{"k":[true]}}""");
        Core("PUT", "/recipe/jwt/data", $$$"""{"sessionHandle":"{{{handle}}}","userDataInJWT":{"k":[true]}}""");
        Core("POST", "/session/ticket", """{"userId":"u","userDataInJWT":{},"userDataInDatabase":{}}""");
        Core("POST", "/session/revoke", """{"userId":"nobody","exceptSessionHandle":"00000000-0000-7000-8000-000000000000"}""");
        Core("POST", "/session/revoke", """{"sessionHandles":["00000000-0000-7000-8000-000000000000_t1"]}""");
        Core("POST", "/session/revoke", """{"signingKey":"s-00000000-0000-7000-8000-000000000000"}""");
        Core("POST", "/recipe/jwt", """{"payload":{"a":1},"validity":1000,"algorithm":"RS256","jwksDomain":"https://x.example","useStaticSigningKey":true}""");
        Core("GET", "/recipe/jwt/jwks");
        Core("GET", "/.well-known/jwks.json");
        Core("PUT", "/recipe/multitenancy/tenant/v2", """{"tenantId":"t1","firstFactors":["emailpassword"],"requiredSecondaryFactors":null,"coreConfig":{"ip_allow_regex":null}}""");
        Core("GET", "/recipe/multitenancy/tenant/v2");
        Core("GET", "/recipe/multitenancy/tenant/list");
        Core("POST", "/recipe/multitenancy/tenant/remove", """{"tenantId":"t9"}""");
        Core("PUT", "/recipe/multitenancy/config/thirdparty", """{"config":{"thirdPartyId":"x","clients":[{"clientId":"c"}]},"skipValidation":true}""");
        Core("POST", "/recipe/multitenancy/config/thirdparty/remove", """{"thirdPartyId":"x"}""");
        Core("GET", "/recipe/dashboard/tenant/core-config");
        Core("GET", "/users?limit=10");
        Core("GET", "/apiversion");
        Core("GET", "/hello");

        void Core(string method, string path, string? body = null) => _samples.Add(new Sample(
            Door.Core, method, at + path, [("Host", "localhost"), ("api-key", key), ("cdi-version", "5.6"), ("Content-Type", "application/json")], body));
    }

    private void AddFront(string access, string refresh)
    {
        (string, string)[] common = [("Host", "localhost:8080"), ("rid", "session"), ("fdi-version", "4.1"), ("Origin", "http://localhost:8080")];
        Front("POST", "/auth/session/refresh", null, ("Cookie", $"sRefreshToken={refresh}; sAccessToken={access}"), ("anti-csrf", "x"));
        Front("POST", "/auth/session/refresh", null, ("Authorization", $"Bearer {refresh}"), ("st-auth-mode", "header"));
        Front("POST", "/auth/signout", null, ("Cookie", $"sAccessToken={access}; sFrontToken=e30="));
        Front("POST", "/auth/session/ticket", """{"ticket":"AAAA"}""");
        Front("GET", "/auth/verify/some/path?require=role:admin", null, ("Cookie", $"sAccessToken={access}"), ("X-Forwarded-Uri", "/admin"), ("X-Forwarded-Method", "GET"));
        Front("GET", "/auth/jwt/jwks.json");
        Front("GET", "/auth/session/events.js");
        Front("GET", "/auth/session/events", null, ("Cookie", $"sAccessToken={access}x"));
        Front("GET", "/.well-known/openid-configuration");
        Front("OPTIONS", "/auth/session/refresh", null, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "rid,fdi-version"));
        Front("GET", "/health/ready");
        Front("GET", "/");

        void Front(string method, string path, string? body = null, params (string, string)[] more) => _samples.Add(new Sample(
            Door.Front, method, path, [.. common, .. body is null ? [] : new[] { ("Content-Type", "application/json") }, .. more], body));
    }

    private void AddMessages(string handle)
    {
        var session = handle[..36];
        _messages.AddRange(
        [
            """{"type":"register","n":1,"incarnation":"11111111-1111-4111-8111-111111111111","name":"fuzz"}""",
            """{"type":"register","n":1,"incarnation":"22222222-2222-4222-8222-222222222222","former":"11111111-1111-4111-8111-111111111111","secret":"AAAA","name":"fuzz"}""",
            """{"type":"renew","n":2}""",
            """{"type":"confirm","n":1}""",
            $$"""{"type":"look","n":3,"tenant":"public","session":"{{session}}"}""",
            """{"type":"leave"}""",
            """{"type":"registered","n":1,"leaseMs":1,"revokedKeys":["k"]}""",
            """{"type":"entries","n":1,"entries":[]}""",
        ]);
    }
}

/// <summary>Which socket a request is for.</summary>
internal enum Door
{
    Core,
    Front,
}

/// <summary>A request before it is spoiled.</summary>
internal sealed record Sample(Door Door, string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, string? Body)
{
    public byte[] ToBytes()
    {
        var text = new StringBuilder().Append(Method).Append(' ').Append(Target).Append(" HTTP/1.1\r\n");
        foreach (var (name, value) in Headers)
        {
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        var body = Encoding.UTF8.GetBytes(Body ?? "");
        if (Body is not null && !Headers.Any(header => header.Name is "Content-Length" or "Transfer-Encoding"))
        {
            text.Append("Content-Length: ").Append(body.Length).Append("\r\n");
        }

        return [.. Encoding.UTF8.GetBytes(text.Append("Connection: close\r\n\r\n").ToString()), .. body];
    }
}
