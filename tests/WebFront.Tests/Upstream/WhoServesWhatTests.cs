using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>
/// Every route of the core API: who serves it, and that no way of writing one that Grid has to know of leads past Grid. What leads past is
/// judged as the original reads it: decoded, without parameters and dots, in lower case, the dots in its own paths being any character.
/// </summary>
[Collection(nameof(UpstreamHost))]
public sealed class WhoServesWhatTests(UpstreamHost host)
{
    // Of all versions, older and newer ones included; without what names app and tenant.
    private const string Table = """
        grid GET /
        grid GET /.well-known/jwks.json
        grid GET /apiversion
        grid DELETE,GET,POST,PUT /hello
        grid POST /recipe/handshake
        grid POST /recipe/jwt
        grid GET,PUT /recipe/jwt/data
        grid GET /recipe/jwt/jwks
        grid GET,POST /recipe/session
        grid GET,PUT /recipe/session/data
        grid POST /recipe/session/refresh
        grid POST /recipe/session/regenerate
        grid POST /recipe/session/remove
        grid GET /recipe/session/user
        grid POST /recipe/session/verify
        both POST /recipe/accountlinking/user/link
        both POST /recipe/accountlinking/user/unlink
        both PUT /recipe/multitenancy/app
        both POST /recipe/multitenancy/app/remove
        both PUT /recipe/multitenancy/app/v2
        both PUT /recipe/multitenancy/connectionuridomain
        both POST /recipe/multitenancy/connectionuridomain/remove
        both PUT /recipe/multitenancy/connectionuridomain/v2
        both PUT /recipe/multitenancy/tenant
        both POST /recipe/multitenancy/tenant/remove
        both POST /recipe/multitenancy/tenant/user/remove
        both PUT /recipe/multitenancy/tenant/v2
        both POST /recipe/userid/map
        both POST /recipe/userid/map/remove
        both POST /user/remove
        behind GET /.well-known/openid-configuration
        behind POST /bulk-import/import
        behind POST /bulk-import/users
        behind GET /bulk-import/users/count
        behind POST /bulk-import/users/remove
        behind GET /config
        behind GET /ee/featureflag
        behind DELETE,GET,PUT /ee/license
        behind GET /recipe/accountlinking/user/link/check
        behind POST /recipe/accountlinking/user/primary
        behind GET /recipe/accountlinking/user/primary/check
        behind DELETE /recipe/dashboard/session
        behind POST /recipe/dashboard/session/verify
        behind POST /recipe/dashboard/signin
        behind GET /recipe/dashboard/tenant/core-config
        behind DELETE,POST,PUT /recipe/dashboard/user
        behind GET /recipe/dashboard/user/sessions
        behind GET /recipe/dashboard/users
        behind GET /recipe/multitenancy/app/list
        behind GET /recipe/multitenancy/app/list/v2
        behind PUT /recipe/multitenancy/config/thirdparty
        behind POST /recipe/multitenancy/config/thirdparty/remove
        behind GET /recipe/multitenancy/connectionuridomain/list
        behind GET /recipe/multitenancy/connectionuridomain/list/v2
        behind GET /recipe/multitenancy/tenant
        behind GET /recipe/multitenancy/tenant/list
        behind GET /recipe/multitenancy/tenant/list/v2
        behind POST /recipe/multitenancy/tenant/user
        behind GET /recipe/multitenancy/tenant/v2
        behind GET /recipe/oauth/auth
        behind GET /recipe/oauth/auth/requests/consent
        behind PUT /recipe/oauth/auth/requests/consent/accept
        behind PUT /recipe/oauth/auth/requests/consent/reject
        behind GET /recipe/oauth/auth/requests/login
        behind PUT /recipe/oauth/auth/requests/login/accept
        behind PUT /recipe/oauth/auth/requests/login/reject
        behind PUT /recipe/oauth/auth/requests/logout/accept
        behind PUT /recipe/oauth/auth/requests/logout/reject
        behind GET,POST,PUT /recipe/oauth/clients
        behind GET /recipe/oauth/clients/list
        behind POST /recipe/oauth/clients/remove
        behind POST /recipe/oauth/introspect
        behind POST /recipe/oauth/session/revoke
        behind GET /recipe/oauth/sessions/logout
        behind POST /recipe/oauth/token
        behind POST /recipe/oauth/token/revoke
        behind POST /recipe/oauth/tokens/revoke
        behind GET /recipe/permission/roles
        behind PUT /recipe/role
        behind GET /recipe/role/permissions
        behind POST /recipe/role/permissions/remove
        behind POST /recipe/role/remove
        behind GET /recipe/role/users
        behind GET /recipe/roles
        behind POST /recipe/saml/callback
        behind PUT /recipe/saml/clients
        behind GET /recipe/saml/clients/list
        behind POST /recipe/saml/clients/remove
        behind POST /recipe/saml/login
        behind GET /recipe/saml/user
        behind POST /recipe/signin
        behind POST /recipe/signinup
        behind POST /recipe/signinup/code
        behind POST /recipe/signinup/code/check
        behind POST /recipe/signinup/code/consume
        behind POST /recipe/signinup/code/remove
        behind GET /recipe/signinup/codes
        behind POST /recipe/signinup/codes/remove
        behind POST /recipe/signup
        behind POST,PUT /recipe/totp/device
        behind POST /recipe/totp/device/import
        behind GET /recipe/totp/device/list
        behind POST /recipe/totp/device/remove
        behind POST /recipe/totp/device/verify
        behind POST /recipe/totp/verify
        behind GET,PUT /recipe/user
        behind GET,POST /recipe/user/email/verify
        behind POST /recipe/user/email/verify/remove
        behind POST /recipe/user/email/verify/token
        behind POST /recipe/user/email/verify/token/remove
        behind GET,PUT /recipe/user/metadata
        behind POST /recipe/user/metadata/remove
        behind POST /recipe/user/password/reset
        behind POST /recipe/user/password/reset/token
        behind POST /recipe/user/password/reset/token/consume
        behind POST /recipe/user/passwordhash/import
        behind PUT /recipe/user/role
        behind POST /recipe/user/role/remove
        behind GET /recipe/user/roles
        behind PUT /recipe/userid/external-user-id-info
        behind GET /recipe/userid/map
        behind GET /recipe/users/by-email
        behind GET /recipe/webauthn/options
        behind POST /recipe/webauthn/options/register
        behind DELETE /recipe/webauthn/options/remove
        behind POST /recipe/webauthn/options/signin
        behind POST /recipe/webauthn/signin
        behind POST /recipe/webauthn/signup
        behind GET /recipe/webauthn/user/credential/list
        behind POST /recipe/webauthn/user/credential/register
        behind DELETE /recipe/webauthn/user/credential/remove
        behind PUT /recipe/webauthn/user/email
        behind GET /recipe/webauthn/user/recover
        behind POST /recipe/webauthn/user/recover/token
        behind POST /recipe/webauthn/user/recover/token/consume
        behind GET /requests/stats
        behind GET /telemetry
        behind GET /user/id
        behind GET /user/search/tags
        behind GET /users
        behind GET /users/by-accountinfo
        behind GET /users/count
        behind GET /users/count/active
        """;

    // Passes with a request that is passed on, and not with what Grid asks by itself.
    private const string Mark = "x-passed-on";

    private static readonly (string Owner, string Method, string Path)[] Routes =
    [
        .. from line in Table.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
           let parts = line.Split(' ')
           from method in parts[1].Split(',')
           select (parts[0], method, parts[2]),
    ];

    [Fact]
    public async Task What_is_not_grids_passes_under_every_app_and_tenant()
    {
        // What other tests left there would answer.
        host.Behind.Answers.Clear();
        foreach (var (_, method, path) in Routes.Where(route => route.Owner == "behind"))
        {
            foreach (var target in new[] { path, $"/appid-a1/t1{path}/?x=%20" })
            {
                host.Behind.Requests.Clear();
                Assert.StartsWith("HTTP/1.1 200", await SendAsync(method, target), StringComparison.Ordinal);
                Assert.Equal((method, "/behind" + target), Assert.Single(host.Behind.Requests) is var seen ? (seen.Method, seen.Target) : default);
            }
        }
    }

    [Fact]
    public async Task What_grid_has_to_know_of_goes_past_it_in_no_spelling()
    {
        host.Behind.Requests.Clear();
        var known = Routes.Where(route => route.Owner != "behind" && route.Path.Length > 1 && route.Path is not ("/hello" or "/apiversion")).ToList();
        foreach (var (_, method, path) in known)
        {
            // Kestrel answers what is no target itself.
            await Parallel.ForEachAsync(Spellings(path).Distinct(), TestContext.Current.CancellationToken, async (target, _) => Assert.Matches("^HTTP/1.1 [245]0", await SendAsync(method, target)));
        }

        var past = host.Behind.Requests.Where(seen => seen.Headers.ContainsKey(Mark)).ToList();
        Assert.All(past, seen => Assert.DoesNotContain(known, route => route.Method == seen.Method && IsReadAs(seen.Target["/behind".Length..], route.Path)));
        Assert.NotEmpty(past);
    }

    [Fact]
    public async Task A_header_that_names_another_method_changes_nothing()
    {
        host.Behind.Requests.Clear();
        foreach (var header in new[] { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" })
        {
            Assert.StartsWith("HTTP/1.1 200", await SendAsync("GET", "/user/remove?_method=POST", $"{header}: POST\r\n"), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 400", await SendAsync("post", "/user/remove", $"{header}: GET\r\n"), StringComparison.Ordinal);
        }

        Assert.All(host.Behind.Requests, seen => Assert.Equal("GET", seen.Method));
    }

    [Theory]
    [InlineData("TRACE", "", "405")]
    [InlineData("GET", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "400")]
    [InlineData("POST", "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n", "400")]
    [InlineData("GET", "Upgrade: SPDY/3.1\r\nConnection: Upgrade\r\n", "400")]
    public async Task What_is_no_request_of_the_core_api_is_refused(string method, string headers, string status)
    {
        host.Behind.Requests.Clear();
        Assert.StartsWith("HTTP/1.1 " + status, await SendAsync(method, "/recipe/roles", headers), StringComparison.Ordinal);
        Assert.Empty(host.Behind.Requests);
    }

    [Fact]
    public async Task An_offer_to_speak_http2_is_an_ordinary_request()
    {
        host.Behind.Requests.Clear();
        Assert.StartsWith("HTTP/1.1 200", await SendAsync("GET", "/recipe/roles", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n"), StringComparison.Ordinal);
        Assert.DoesNotContain("Upgrade", Assert.Single(host.Behind.Requests).Headers.Keys);
    }

    private static IEnumerable<string> Spellings(string path)
    {
        var last = path.LastIndexOf('/');
        yield return path;
        yield return path.ToUpperInvariant();
        yield return path + "/";
        yield return path + "//";
        yield return "/" + path;
        yield return path.Replace("/", "//", StringComparison.Ordinal);
        yield return path.Replace("/", "/./", StringComparison.Ordinal);
        yield return "/x/.." + path;
        yield return $"{path[..last]}/%2e%2E/x/..{path}";
        yield return path[..last] + "%2f" + path[(last + 1)..];
        yield return path[..last] + "%5C" + path[(last + 1)..];
        yield return path[..last] + "\\" + path[(last + 1)..];
        yield return path + ";x=1";
        yield return path.Insert(last, ";x=1");
        yield return path + "%3Bx";
        yield return path + "#x";
        yield return path + "%23";
        yield return path + "?x=/recipe/roles";
        yield return path + "%3F";
        yield return path + "%20";
        yield return path + "%00";
        yield return Encode(path, once: true);
        yield return Encode(path, once: false);
        yield return path.Replace("%", "%25", StringComparison.Ordinal).Replace("e", "%2565", StringComparison.Ordinal);
        yield return path.Replace("k", "%E2%84%AA", StringComparison.Ordinal);
        yield return path.Replace("s", "%C5%BF", StringComparison.Ordinal);
        yield return path.Replace("i", "%C4%B0", StringComparison.Ordinal);
        yield return path.Replace("i", "%c4%b1", StringComparison.Ordinal);
        yield return path.Replace('.', 'x');
        foreach (var prefix in new[]
        {
            "/public", "/appid-public", "/appid-public/public", "/appid-a1", "/appid-a1/t1", "/t1", "/APPID-A1/T1", "/appid-", "/appid-/t1", "/appid-/public", "/appid-a1/appid-b", "/appid", "/appid-%E2%84%AA", "/%E2%84%AA",
            "/appid-a1/%E2%84%AA", "/user", "/users", "/session", "/jwt", "/signin", "/config", "/hello", "/start", "/plugin", "/bulk-import", "/appid-a1/session", "/%61ppid-a1", "/appid-a1%2ft1", "/appid-a1;x/t1", "/a_b",
        })
        {
            yield return prefix + path;
        }

        yield return "http://localhost" + path;
        yield return "http://localhost/x/.." + path;
        yield return "http://localhost" + path + "#x";
        yield return "http://localhost" + path[..last] + "%2f" + path[(last + 1)..];
        yield return "http://localhost" + path[..last] + "\\" + path[(last + 1)..];
        yield return "http://localhost/appid-" + path;
        yield return "HTTP://LOCALHOST" + Encode(path, once: true);
        yield return "ftp://localhost" + path;
    }

    private static string Encode(string path, bool once) => string.Concat(path.Select((letter, at) => letter != '/' && (!once || at == path.Length / 2) ? $"%{(int)letter:x2}" : letter.ToString()));

    // As generous as any version and any server before it might be.
    private static bool IsReadAs(string target, string route)
    {
        var path = Uri.UnescapeDataString(target.Split('?', '#')[0]).Replace('\\', '/');
        var segments = new List<string>();
        foreach (var segment in path.Split('/').Select(segment => segment.Split(';')[0]).Where(segment => segment is not ("" or ".")))
        {
            if (segment != "..")
            {
                segments.Add(segment);
            }
            else if (segments.Count > 0)
            {
                segments.RemoveAt(segments.Count - 1);
            }
        }

        var read = "/" + string.Join('/', segments).Replace('\u212A', 'k').Replace('\u0130', 'i').Replace('\u0131', 'i').Replace('\u017F', 's').ToLowerInvariant();
        return Regex.IsMatch(read, $"^(/appid-[a-z0-9-]*)?(/[a-z0-9-]+)?{route}$", RegexOptions.CultureInvariant);
    }

    private async Task<string> SendAsync(string method, string target, string headers = "")
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Core.Url.Host, host.Core.Url.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        var close = headers.Contains("Connection:", StringComparison.Ordinal) ? "" : "Connection: close\r\n";
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes($"{method} {target} HTTP/1.1\r\nHost: localhost\r\napi-key: {UpstreamHost.Key}\r\n{Mark}: 1\r\n{headers}{close}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"),
            TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken) ?? "";
    }
}
