using Grid.WebFront.Core;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Tests;

/// <summary>Every route × who calls. A route without a row here fails.</summary>
public sealed class RouteTableTests(CoreHost core) : IAsyncLifetime
{
    private const string Key = "the-key-of-this-app-0001";
    private const string OtherKey = "the-key-of-another-app-1";

    // Scope: T any tenant, A only the app's public tenant (from CDI 5.0 on), A56 the same from CDI 5.6 on, N any tenant, which need not exist.
    // Key: K needs one, open needs none.
    private static readonly string[] Table =
    [
        "POST /recipe/session T K",
        "GET /recipe/session T K",
        "POST /recipe/session/remove T K",
        "POST /recipe/session/verify A56 K",
        "POST /recipe/session/refresh T K",
        "GET /recipe/session/user T K",
        "POST /recipe/session/regenerate T K",
        "GET /recipe/session/data T K",
        "PUT /recipe/session/data T K",
        "GET /recipe/jwt/data T K",
        "PUT /recipe/jwt/data T K",
        "POST /session/ticket T K",
        "POST /session/payload T K",
        "POST /session/revoke T K",
        "GET /session/holder A K",
        "POST /recipe/jwt A K",
        "GET /recipe/jwt/jwks A K",
        "GET /.well-known/jwks.json T open",
        "PUT /recipe/multitenancy/connectionuridomain T K",
        "PUT /recipe/multitenancy/connectionuridomain/v2 T K",
        "POST /recipe/multitenancy/connectionuridomain/remove T K",
        "GET /recipe/multitenancy/connectionuridomain/list T K",
        "GET /recipe/multitenancy/connectionuridomain/list/v2 T K",
        "PUT /recipe/multitenancy/app T K",
        "PUT /recipe/multitenancy/app/v2 T K",
        "POST /recipe/multitenancy/app/remove T K",
        "GET /recipe/multitenancy/app/list T K",
        "GET /recipe/multitenancy/app/list/v2 T K",
        "PUT /recipe/multitenancy/tenant T K",
        "PUT /recipe/multitenancy/tenant/v2 T K",
        "GET /recipe/multitenancy/tenant N K",
        "GET /recipe/multitenancy/tenant/v2 N K",
        "POST /recipe/multitenancy/tenant/remove T K",
        "GET /recipe/multitenancy/tenant/list T K",
        "GET /recipe/multitenancy/tenant/list/v2 T K",
        "PUT /recipe/multitenancy/config/thirdparty T K",
        "POST /recipe/multitenancy/config/thirdparty/remove T K",
        "POST /recipe/multitenancy/tenant/user T K",
        "POST /recipe/multitenancy/tenant/user/remove T K",
        "GET /recipe/dashboard/tenant/core-config T K",
        "GET /user/id A K",
        "GET /recipe/userid/map A K",
        "POST /user/remove A K",
        "GET /users/count T K",
        "GET /users/count/active A K",
        "GET /users T K",
        "GET /users/by-accountinfo T K",
        "GET / T open",
        "POST / T open",
        "PUT / T open",
        "DELETE / T open",
        "GET /hello T open",
        "POST /hello T open",
        "PUT /hello T open",
        "DELETE /hello T open",
        "GET /apiversion A K",
        "GET /telemetry A K",
        "PUT /ee/license A K",
        "DELETE /ee/license A K",
        "GET /ee/license A K",
        "GET /ee/featureflag A K",
    ];

    private string _app = "";

    public async ValueTask InitializeAsync()
    {
        await core.CreateAppAsync(new { api_keys = OtherKey });
        _app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{_app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = _app["/appid-".Length..], coreConfig = new { api_keys = $"{Key}, another-key-of-this-app" } });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public void Every_route_has_a_row()
    {
        var mapped = core.Endpoints.OfType<RouteEndpoint>().Where(route => route.Metadata.GetMetadata<CoreRoute>() is not null)
            .SelectMany(route => route.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods.Select(method => $"{method} {route.RoutePattern.RawText}"));
        Assert.Equal(Rows().Select(row => $"{row.Method} {row.Path}").Order(), mapped.Where(row => !row.StartsWith("HEAD ", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task A_key_is_asked_for_before_anything_else()
    {
        foreach (var (method, path, _, needsKey) in Rows())
        {
            // Twenty failures a minute, and the next are told to wait.
            core.Clock.Skip(TimeSpan.FromMinutes(1));
            foreach (var key in new[] { null, "not-a-key-of-this-place", OtherKey, Key + "1", Key[..^1] })
            {
                foreach (var tenant in new[] { "", "/t1", "/no-such-tenant" })
                {
                    // A version that is none and a body that is none: the key comes first.
                    var answer = await core.SendAsync(method, _app + tenant + path, Body(method, "{"), "no version", Keys(key));
                    Assert.True(
                        needsKey ? (answer.Status, answer.Text) == (401, "Invalid API key\n") : answer.Status != 401, $"{method} {tenant}{path}: {answer.Text}");
                }
            }
        }
    }

    [Fact]
    public async Task The_right_key_opens_in_each_of_its_three_forms()
    {
        foreach (var (method, path, _, _) in Rows())
        {
            foreach (var header in new[] { ("api-key", Key), ("Authorization", $"Bearer {Key}"), ("Authorization", Key) })
            {
                var answer = await core.SendAsync(method, _app + path, Body(method, "{}"), null, header);
                Assert.False(answer.Status is 401 or 404 or 405 or >= 500, $"{method} {path}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task What_is_not_there_is_named()
    {
        const string Text = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ";
        foreach (var (method, path, scope, _) in Rows())
        {
            var tenant = await core.SendAsync(method, $"{_app}/no-such-tenant{path}", Body(method, "{}"), null, Keys(Key));
            Assert.Equal(scope == "N" ? "TENANT_NOT_FOUND_ERROR" : $"400 {Text}(, {_app["/appid-".Length..]}, no-such-tenant)\n", tenant.Word);
            foreach (var key in new[] { null, Key })
            {
                var app = await core.SendAsync(method, $"/appid-no-such-app{path}", Body(method, "{}"), null, Keys(key));
                Assert.Equal($"400 {Text}(, no-such-app, public)\n", app.Word);
            }
        }
    }

    [Fact]
    public async Task An_app_route_is_closed_to_the_apps_other_tenants()
    {
        const string Refusal = "Only public tenantId can call this app specific API\n";
        foreach (var (method, path, scope, _) in Rows())
        {
            var newer = await core.SendAsync(method, $"{_app}/t1{path}", Body(method, "{}"), "5.6", Keys(Key));
            Assert.True(scope is "A" or "A56" == ((newer.Status, newer.Text) == (403, Refusal)), $"{method} {path}: {newer.Text}");
            var older = await core.SendAsync(method, $"{_app}/t1{path}", Body(method, "{}"), "5.4", Keys(Key));
            Assert.True(scope is "A" == ((older.Status, older.Text) == (403, Refusal)), $"{method} {path}: {older.Text}");
        }
    }

    [Fact]
    public async Task Wherever_get_is_answered_head_is_answered_alike_without_a_body()
    {
        foreach (var (method, path, _, _) in Rows().Where(row => row.Path != "/session/holder"))
        {
            var answer = await core.SendAsync("HEAD", _app + path, null, null, Keys(Key));
            if (method == "GET")
            {
                var get = await core.SendAsync("GET", _app + path, null, null, Keys(Key));
                Assert.Equal((get.Status, get.ContentType, ""), (answer.Status, answer.ContentType, answer.Text));
            }
            else if (!Rows().Any(row => (row.Method, row.Path) == ("GET", path)))
            {
                Assert.Equal((405, ""), (answer.Status, answer.Text));
            }
        }
    }

    [Fact]
    public async Task Slashes_that_come_twice_count_once()
    {
        foreach (var (method, path, _, _) in Rows().Where(row => row.Path != "/session/holder"))
        {
            var plain = await core.SendAsync(method, $"{_app}/t1{path}", Body(method, "{}"), null, Keys(Key));
            var doubled = await core.SendAsync(method, $"{core.Url.ToString().TrimEnd('/')}//{$"{_app}/t1{path}".Trim('/').Replace("/", "///", StringComparison.Ordinal)}//", Body(method, "{}"), null, Keys(Key));
            Assert.Equal((plain.Status, WithoutUniques(plain.Text)), (doubled.Status, WithoutUniques(doubled.Text)));
        }
    }

    [Fact]
    public async Task Other_methods_are_refused()
    {
        foreach (var path in Rows().Select(row => row.Path).Distinct())
        {
            Assert.Equal("405 Method not supported\n", (await core.SendAsync("PATCH", path, "{}")).Word);
        }
    }

    private static IEnumerable<(string Method, string Path, string Scope, bool NeedsKey)> Rows() => Table.Select(row => row.Split(' '))
        .Select(row => (row[0], row[1], row[2], row[3] == "K"));

    private static string WithoutUniques(string text) => text.StartsWith("{\"status\":\"OK\"", StringComparison.Ordinal) ? "OK" : text;

    private static string? Body(string method, string body) => method == "GET" ? null : body;

    private static (string, string)[] Keys(string? key) => key is null ? [] : [("api-key", key)];
}
