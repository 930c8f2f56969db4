using Grid.AspNetCore.Endpoints;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>Forward-auth by the path as it was sent: 200 means a session, whatever stands behind <c>/auth/verify</c>.</summary>
public sealed class ForwardAuthTargetTests(CoreHost core)
{
    public static TheoryData<string> Ambiguous => new(
        "/x/../y", "/x/./y", "/..", "/x/..", "/x/%2e%2e/y", "/x/%2E./y", "/x/.%2e", "/x%2fy", "/x%2Fy", "/x%5cy", "/x\\..\\y", "/x//y", "//x", "/x;a=1/y", "/x/..;/y", "/x%3by",
        "/x%00", "/x%0a", "/x%7f", "/x%252e%252e%252fy", "/x%", "/x%2", "/x%zz", "/x%c0%ae%c0%ae/", "/x%e0%80%af", "/x#y", "/x/..?a=1", "/x y", "/caf\u00e9", "http://h/x/../y", "*", "x", "");

    public static TheoryData<string> Plain => new(
        "/", "/x", "/x/y/", "/x.y/..z/.w/...", "/a%20b", "/caf%C3%A9", "/100%25", "/x?next=/../%2e%2f//;", "/a-b_c~d!$&'()*+,=:@e", "http://h", "http://h/x?y", "/%F0%9F%98%80", "/x?/../");

    [Theory, MemberData(nameof(Ambiguous))]
    public void A_path_that_two_programs_may_read_differently_is_ambiguous(string target) => Assert.True(RequestTarget.IsAmbiguous(target));

    [Theory, MemberData(nameof(Plain))]
    public void Every_other_path_is_plain(string target) => Assert.False(RequestTarget.IsAmbiguous(target));

    public static TheoryData<string, string> Escapes
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (var method in (string[])["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
            {
                data.Add(method, "/auth/verify/admin/x/../../../.well-known/openid-configuration");
            }

            foreach (var target in (string[])
            [
                "/auth/verify/../jwt/jwks.json", "/auth/verify/%2e%2e/jwt/jwks.json", "/auth/verify/.%2E/jwt/jwks.json", "/auth/verify/x/../../session/events.js", "/AUTH/Verify/../jwt/jwks.json",
                "/auth/%76erify/../jwt/jwks.json", "/auth//verify/../jwt/jwks.json", "/auth/./verify/../jwt/jwks.json", "/auth/verify/../../first-page.js", "/auth/verify/../..", "/auth/verify/..//..//",
                "/auth/verify/admin%2f..%2f..%2fjwt/jwks.json", "/auth/verify/admin\\..\\x", "/auth/verify/admin;x=1", "/auth/verify//admin", "/auth/verify/%252e%252e/x", "/auth/verify/x%00", "/auth/verify/%zz",
                "http://elsewhere/auth/verify/../jwt/jwks.json", "/auth/verify/x/../../open", "/auth/verify/..%2f..%2fopen",
            ])
            {
                data.Add("GET", target);
            }

            data.Add("POST", "/auth/verify/../signout");
            data.Add("POST", "/auth/verify/../session/refresh");
            return data;
        }
    }

    [Theory, MemberData(nameof(Escapes))]
    public async Task Below_verify_nobody_else_answers(string method, string target)
    {
        await using var app = await ClientApp.StartAsync(core);
        foreach (var url in (Uri[])[core.FrontUrl, app.Url])
        {
            var (status, text) = await RawRequest.SendAsync(url, method, target);

            // Some the server itself calls no request.
            Assert.True(status is 403 or 400 or 404, $"{status} {text}");
            if (status == 403)
            {
                Assert.Contains("X-Grid-Error: {\"message\":\"forbidden\"}", text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_session_does_not_help_an_ambiguous_path_and_a_plain_one_is_let_through()
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        await core.SignInAsync(browser);
        var token = $"Authorization: bearer {browser.AccessToken}";

        Assert.Equal(403, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify/x/../../jwt/jwks.json", token)).Status);
        Assert.Equal(200, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify/a%20b/caf%C3%A9?x=/../", token)).Status);
        Assert.Equal(200, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify", token)).Status);
    }

    [Theory]
    [InlineData("X-Original-URI")]
    [InlineData("X-Forwarded-Uri")]
    [InlineData("X-Original-URL")]
    [InlineData("X-Auth-Request-Redirect")]
    public async Task The_path_that_the_proxy_names_is_judged_too(string header)
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        await core.SignInAsync(browser);
        var token = $"Authorization: Bearer {browser.AccessToken}";

        Assert.Equal(200, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify", token, $"{header}: /admin/x?y=../")).Status);
        foreach (var target in (string[])["/admin/%2e%2e%2fx", "/admin/..%2fx", "/public/../admin", "/admin;/x", "//admin", "/admin%5cx", "https://h.example/x/../admin"])
        {
            Assert.Equal(403, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify", token, $"{header}: {target}")).Status);
        }
    }

    [Fact]
    public async Task A_preflight_that_a_proxy_holds_is_judged_like_any_other_request()
    {
        string[] preflight = ["Origin: http://localhost:3000", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: rid"];

        // A page asks us itself: answered as CORS wants it.
        Assert.Equal(204, (await RawRequest.SendAsync(core.FrontUrl, "OPTIONS", "/auth/verify", preflight)).Status);

        // A proxy asks for its client.
        Assert.Equal(401, (await RawRequest.SendAsync(core.FrontUrl, "OPTIONS", "/auth/verify/admin", preflight)).Status);
        Assert.Equal(401, (await RawRequest.SendAsync(core.FrontUrl, "OPTIONS", "/auth/verify", [.. preflight, "X-Forwarded-Method: OPTIONS"])).Status);
        Assert.Equal(401, (await RawRequest.SendAsync(core.FrontUrl, "OPTIONS", "/auth/verify", [.. preflight, "X-Original-URI: /admin"])).Status);

        await using var app = await ClientApp.StartAsync(
            core,
            services: services => services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins("http://localhost:3000").AllowCredentials().AllowAnyHeader())),
            use: app =>
            {
                app.UseCors();
                app.MapGrid();
            });
        Assert.Equal(401, (await RawRequest.SendAsync(app.Url, "OPTIONS", "/auth/verify/admin", preflight)).Status);
    }

    [Theory]
    [InlineData("X-Grid-Claim-plan: gold", 403)]
    [InlineData("x-grid-claim-PLAN: gold", 403)]
    [InlineData("X_Grid_Claim_role: admin", 403)]
    [InlineData("X_Grid_User: root", 403)]
    [InlineData("X-Grid-Claim-role: admin", 200)]
    [InlineData("X-Grid-User: root", 200)]
    public async Task A_claim_that_the_proxy_would_not_overwrite_is_refused(string header, int expected)
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        await core.SignInAsync(browser);

        Assert.Equal(expected, (await RawRequest.SendAsync(core.FrontUrl, "GET", "/auth/verify", $"Authorization: Bearer {browser.AccessToken}", header)).Status);
    }

    [Fact]
    public async Task In_an_application_it_stands_before_the_application_s_own_routes_and_lets_those_alone()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.UsePathBase("/svc");
            app.UseRouting();
            app.MapGroup("/inner").MapGrid();
            app.MapGet("/files/{**path}", (string path) => path);
        });

        Assert.Equal(200, (await RawRequest.SendAsync(app.Url, "GET", "/files/a/../b%2fc")).Status);
        Assert.Equal(200, (await RawRequest.SendAsync(app.Url, "GET", "/inner/auth/jwt/jwks.json")).Status);
        Assert.Equal(403, (await RawRequest.SendAsync(app.Url, "GET", "/svc/inner/auth/verify/../jwt/jwks.json")).Status);
        Assert.Equal(403, (await RawRequest.SendAsync(app.Url, "GET", "/inner/auth/verify/x/../../../../files/x")).Status);
        Assert.Equal(401, (await RawRequest.SendAsync(app.Url, "GET", "/svc/inner/auth/verify/x")).Status);
    }
}
