using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using System.Text.Json.Nodes;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>What <c>HttpContext.User</c> offers of a session, whoever made it, and what of a principal a session keeps.</summary>
public sealed class PrincipalClaimTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_principal_that_signs_in_comes_back_with_its_name_and_roles()
    {
        await using var app = await StartAsync(Principal(new Claim(ClaimTypes.Name, "Alice"), new Claim(ClaimTypes.Role, "admin"), new Claim(ClaimTypes.Role, "editor"), new Claim(ClaimTypes.Role, "admin")));
        using var browser = app.NewBrowser();

        var payload = (await browser.PostAsync("/go")).Front["up"]!;

        Assert.Equal(("Alice", """["admin","editor"]"""), ((string?)payload["name"], payload["st-role"]!["v"]!.ToJsonString()));
        Assert.Equal(core.Clock.GetUtcNow().ToUnixTimeMilliseconds(), payload["st-role"]!["t"]!.GetValue<long>(), 60_000.0);
        Assert.Equal("Alice", (await browser.GetAsync("/name")).Text);
        foreach (var path in (string[])["/in/admin", "/in/editor", "/role-claim", "/st-role-claim", "/in/admin"])
        {
            Assert.Equal((path, 200), (path, (await browser.GetAsync(path)).Status));
        }

        Assert.Equal(403, (await browser.GetAsync("/in/owner")).Status);
        Assert.Equal([_user], await ClaimsAsync(browser, ClaimTypes.NameIdentifier));
    }

    [Fact]
    public async Task An_identity_says_which_of_its_claims_are_name_and_roles()
    {
        var openId = new ClaimsIdentity([new("sub", _user), new("preferred_username", "al"), new("groups", "admin"), new("name", "not the name")], "OpenIdConnect", "preferred_username", "groups");
        await using var app = await StartAsync(new ClaimsPrincipal(openId));
        using var browser = app.NewBrowser();
        await browser.PostAsync("/go");

        Assert.Equal("al", (await browser.GetAsync("/name")).Text);
        Assert.Equal((200, 403), ((await browser.GetAsync("/in/admin")).Status, (await browser.GetAsync("/in/editor")).Status));
    }

    [Fact]
    public async Task Roles_of_several_identities_add_up_and_the_first_that_names_the_user_says_who_it_is()
    {
        var principal = new ClaimsPrincipal(
        [
            new ClaimsIdentity([new(ClaimTypes.Role, "admin")], "Device"),
            new ClaimsIdentity([new(ClaimTypes.NameIdentifier, _user), new("r", "editor"), new("r", ""), new(ClaimTypes.Name, "Alice")], "One", ClaimTypes.Name, "r"),
            new ClaimsIdentity([new("sub", "somebody-else"), new("r", "owner"), new(ClaimTypes.Name, "Bob")], "Two"),
        ]);
        await using var app = await StartAsync(principal);
        using var browser = app.NewBrowser();

        var signedIn = await browser.PostAsync("/go");

        Assert.Equal((_user, "Alice"), (signedIn.Front["uid"]!.GetValue<string>(), (await browser.GetAsync("/name")).Text));
        Assert.Equal((200, 200, 403), ((await browser.GetAsync("/in/admin")).Status, (await browser.GetAsync("/in/editor")).Status, (await browser.GetAsync("/in/owner")).Status));
    }

    [Theory]
    [InlineData("\"Quotes\" and \\backslashes\\")]
    [InlineData("Zoë 王 👩‍🚀 \u0001\u001f\u007f\u2028 </script>")]
    [InlineData("{\"v\":1,\"t\":2}")]
    [InlineData(" ")]
    public async Task A_name_has_any_characters(string name)
    {
        await using var app = await StartAsync(Principal(new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, name)));
        using var browser = app.NewBrowser();
        Assert.Equal("", (await browser.PostAsync("/go")).Text);

        Assert.Equal(name, (await browser.GetAsync("/name")).Text);
        Assert.Equal([name], await ClaimsAsync(browser, ClaimTypes.Role));
    }

    [Fact]
    public async Task Without_a_name_the_user_id_is_the_name_even_if_the_payload_looks_as_if_it_had_one()
    {
        await using var app = await StartAsync(Principal());
        foreach (var payload in (string[])["{}", """{"first":"name"}""", """{"a":{"name":"x"}}""", """{"a\"b":1}""", """{"name":["x"]}""", """{"name":null}""", """{"Name":"x"}"""])
        {
            using var browser = app.NewBrowser();
            await browser.PostAsync("/as", payload);
            Assert.Equal((payload, _user), (payload, (await browser.GetAsync("/name")).Text));
        }
    }

    [Fact]
    public async Task Other_claims_that_are_wanted_come_back_as_they_were()
    {
        Claim[] claims =
        [
            new("plan", "gold"), new("amr", "pwd"), new("amr", "otp"), new(ClaimTypes.Email, "a@b.c"), new("verified", "true", ClaimValueTypes.Boolean), new("age", "42", ClaimValueTypes.Integer),
            new("address", """{"city":"Köln"}""", "JSON"), new("broken", "{", "JSON"), new("huge", "123456789012345678901234567890", ClaimValueTypes.Integer),
        ];
        await using var app = await StartAsync(Principal(claims), options => options.PrincipalClaims.Add("*"));
        using var browser = app.NewBrowser();

        var payload = (await browser.PostAsync("/go")).Front["up"]!;

        Assert.Equal(("""["pwd","otp"]""", "true", "42", "Köln"), (payload["amr"]!.ToJsonString(), payload["verified"]!.ToJsonString(), payload["age"]!.ToJsonString(), (string?)payload["address"]!["city"]));
        foreach (var group in claims.GroupBy(claim => claim.Type))
        {
            Assert.Equal(group.Select(claim => claim.Value), (await ClaimsAsync(browser, group.Key)).Select(value => value.Replace("\\u00F6", "ö", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("""{"st-role":{"v":["admin","editor"],"t":1}}""", "admin,editor")]
    [InlineData("""{"st-role":["admin"]}""", "admin")]
    [InlineData("""{"st-role":"admin"}""", "admin")]
    [InlineData("""{"st-role":{"v":"admin","t":1}}""", "admin")]
    [InlineData("""{"st-role":{"v":["admin",1,true,null,{"a":"owner"},["owner"]],"t":1}}""", "admin")]
    [InlineData("""{"st-role":{"v":null,"t":1}}""", "")]
    [InlineData("""{"st-role":{"v":{"admin":true},"t":1}}""", "")]
    [InlineData("""{"st-role":{"admin":true}}""", "")]
    [InlineData("""{"st-role":true}""", "")]
    [InlineData("""{"st-role":null}""", "")]
    [InlineData("""{"role":"admin","roles":["admin"],"Role":"admin","ST-ROLE":["admin"]}""", "")]
    [InlineData("""{"http://schemas.microsoft.com/ws/2008/06/identity/claims/role":"admin","HTTP://schemas.microsoft.com/ws/2008/06/identity/claims/role":"admin"}""", "")]
    public async Task Roles_are_the_strings_in_the_claim_that_holds_them_whoever_wrote_it(string payload, string roles)
    {
        await using var app = await StartAsync(Principal());
        using var browser = app.NewBrowser();
        await browser.PostAsync("/as", payload);

        Assert.Equal(roles, string.Join(',', await ClaimsAsync(browser, ClaimTypes.Role)));
        Assert.Equal(roles.Contains("admin", StringComparison.Ordinal) ? 200 : 403, (await browser.GetAsync("/in/admin")).Status);
        Assert.Equal(403, (await browser.GetAsync("/in/owner")).Status);
    }

    [Fact]
    public async Task No_payload_speaks_for_the_session()
    {
        await using var app = await StartAsync(Principal());
        using var browser = app.NewBrowser();
        var signedIn = await browser.PostAsync("/as", $$"""{"SUB":"root","Sid":"x","sid":"x","tid":"t","{{ClaimTypes.NameIdentifier}}":"root","{{ClaimTypes.Name.ToUpperInvariant()}}":"root","fine":1}""");

        Assert.Equal([_user], await ClaimsAsync(browser, "sub"));
        Assert.Equal([_user], await ClaimsAsync(browser, ClaimTypes.NameIdentifier));
        Assert.Equal([signedIn.Text], await ClaimsAsync(browser, "sid"));
        Assert.Equal(["public"], await ClaimsAsync(browser, "tid"));
        Assert.Equal((_user, "1"), ((await browser.GetAsync("/name")).Text, Assert.Single(await ClaimsAsync(browser, "fine"))));
    }

    [Fact]
    public async Task Name_and_roles_are_kept_and_found_where_the_options_say()
    {
        await using var app = await StartAsync(Principal(new Claim(ClaimTypes.Name, "Alice"), new Claim(ClaimTypes.Role, "admin")), options => (options.NameClaimType, options.RoleClaimType) = ("nickname", "roles"));
        using var browser = app.NewBrowser();

        var payload = (await browser.PostAsync("/go")).Front["up"]!;

        Assert.Equal(("Alice", "admin"), ((string?)payload["nickname"], (string?)payload["roles"]!["v"]![0]));
        Assert.Equal(("Alice", 200), ((await browser.GetAsync("/name")).Text, (await browser.GetAsync("/in/admin")).Status));
        await browser.PostAsync("/as", """{"st-role":{"v":["admin"],"t":1},"roles":["editor"],"name":"Bob"}""");
        Assert.Equal((_user, 403, 200), ((await browser.GetAsync("/name")).Text, (await browser.GetAsync("/in/admin")).Status, (await browser.GetAsync("/in/editor")).Status));
    }

    [Theory]
    [InlineData("", "st-role")]
    [InlineData("exp", "st-role")]
    [InlineData("name", "sub")]
    [InlineData("name", "tId")]
    [InlineData("name", "")]
    [InlineData("same", "same")]
    public void Where_name_and_roles_cannot_be_is_said_at_the_start(string name, string role) =>
        Assert.Contains("ClaimType", GridOptionsCheck.Problem(new GridOptions { NameClaimType = name, RoleClaimType = role }), StringComparison.Ordinal);

    [Fact]
    public async Task A_hundred_roles_fit_and_too_many_for_a_cookie_are_refused_with_the_repair_before_anything_is_made()
    {
        IEnumerable<Claim> Roles(int count) => Enumerable.Range(0, count).Select(i => new Claim(ClaimTypes.Role, $"role-{i}"));
        await using (var app = await StartAsync(Principal([.. Roles(100), new(ClaimTypes.Role, "admin")])))
        {
            using var browser = app.NewBrowser();
            await browser.PostAsync("/go");
            Assert.Equal(101, (await ClaimsAsync(browser, ClaimTypes.Role)).Length);
            Assert.Equal(200, (await browser.GetAsync("/in/admin")).Status);
        }

        await using (var app = await StartAsync(Principal([.. Roles(1_000)])))
        {
            using var browser = app.NewBrowser();
            var before = await app.Sessions.ListAsync(_user, tenantId: null, TestContext.Current.CancellationToken);
            var refused = await browser.PostAsync("/go");
            Assert.Equal(400, refused.Status);
            Assert.Contains("put less into the payload", refused.Text, StringComparison.Ordinal);
            Assert.Equal(before, await app.Sessions.ListAsync(_user, tenantId: null, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_principal_without_a_user_id_is_refused()
    {
        foreach (var identity in (ClaimsIdentity[])[new([new(ClaimTypes.Name, "Alice")], "Test"), new([new("sub", ""), new(ClaimTypes.NameIdentifier, "")], "Test")])
        {
            await using var app = await StartAsync(new ClaimsPrincipal(identity));
            using var browser = app.NewBrowser();
            var refused = await browser.PostAsync("/go");
            Assert.Equal((500, true), (refused.Status, refused.Text.Contains("NameIdentifier", StringComparison.Ordinal)));
        }
    }

    // Each way to copy, and each way to look, from an identity that nobody has looked at.
    [Fact]
    public async Task A_copy_of_the_user_has_all_of_its_claims()
    {
        Func<ClaimsPrincipal, IEnumerable<Claim>>[] ways =
        [
            user => user.Claims,
            user => user.Clone().Claims,
            user => ((ClaimsIdentity)user.Identity!).Clone().Claims,
            user => new ClaimsIdentity(user.Identity).Claims,
            user => new ClaimsIdentity(user.Identity, [], "Other", "n", "r").Claims,
            user => new ClaimsPrincipal(user.Identities.Select(identity => new ClaimsIdentity(identity))).Claims,
            user => new ClaimsPrincipal(user).Claims,
            user => new ClaimsIdentity(new ClaimsIdentity(user.Identity)).Claims,
            user => new ClaimsIdentity([user.FindFirst(ClaimTypes.NameIdentifier)!]).Claims.Concat(user.Claims.Skip(1)),
            user => Written(((ClaimsIdentity)user.Identity!).WriteTo),
            user =>
            {
                ((ClaimsIdentity)user.Identity!).AddClaim(new("extra", "1"));
                Assert.True(((ClaimsIdentity)user.Identity!).TryRemoveClaim(user.FindFirst("extra")));
                return user.Claims;
            },
            user =>
            {
                Parallel.For(0, 16, _ => Assert.True(user.IsInRole("admin")));
                return user.Claims;
            },
        ];
        var way = 0;
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.MapGrid();
            app.MapPost("/as", SignInAsync);
            app.MapGet("/copied", (HttpContext http) => ways[way](http.User).Select(claim => $"{claim.Type}={claim.Value}").Order()).RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        await browser.PostAsync("/as", """{"st-role":{"v":["admin"],"t":1},"name":"Alice","plan":"gold"}""");
        var first = (await browser.GetAsync("/copied")).Text;
        Assert.Contains("role=admin", first, StringComparison.Ordinal);

        for (way = 1; way < ways.Length; way++)
        {
            Assert.Equal((way, first), (way, (await browser.GetAsync("/copied")).Text));
        }
    }

    [Fact]
    public async Task The_user_has_the_claims_that_the_request_brought_whenever_they_are_asked_for()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.MapGrid();
            app.MapPost("/as", SignInAsync);
            app.MapPost("/demote", async (HttpContext http) =>
            {
                await http.GetGridSession()!.MergeIntoPayloadAsync(new JsonObject { ["st-role"] = null });
                return http.User.IsInRole("admin");
            }).RequireAuthorization();
            app.MapGet("/is-admin", (ClaimsPrincipal user) => user.IsInRole("admin")).RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        await browser.PostAsync("/as", """{"st-role":{"v":["admin"],"t":1}}""");

        Assert.Equal("true", (await browser.PostAsync("/demote")).Text);
        Assert.Equal("false", (await browser.GetAsync("/is-admin")).Text);
    }

    [Fact]
    public async Task SignalR_finds_a_user_s_connections()
    {
        await using var app = await ClientApp.StartAsync(core, services: services => services.AddSignalR(), use: app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapGrid();
            app.MapPost("/as", SignInAsync);
            app.MapHub<News>("/hub").RequireAuthorization();
            app.MapPost("/tell", (IHubContext<News> hub) => hub.Clients.User(_user).SendAsync("news", "for you"));
        });
        using var browser = app.NewBrowser("header");
        var signedIn = await browser.PostAsync("/as", "{}");
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + signedIn.Header("st-access-token"));
        await socket.ConnectAsync(new Uri(app.Url.ToString().Replace("http://", "ws://", StringComparison.Ordinal) + "hub"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e"), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        var received = "";
        await ReceiveUntilAsync("{}\u001e");

        await browser.PostAsync("/tell");

        await ReceiveUntilAsync("for you");

        async Task ReceiveUntilAsync(string text)
        {
            var buffer = new byte[4096];
            while (!received.Contains(text, StringComparison.Ordinal))
            {
                var got = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2));
                Assert.NotEqual(WebSocketMessageType.Close, got.MessageType);
                received += Encoding.UTF8.GetString(buffer, 0, got.Count);
            }
        }
    }

    private static IEnumerable<Claim> Written(Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            write(writer);
        }

        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        return new ClaimsIdentity(reader).Claims;
    }

    private static async Task<string[]> ClaimsAsync(TestBrowser browser, string type) =>
        [.. JsonNode.Parse((await browser.GetAsync($"/claims?type={Uri.EscapeDataString(type)}")).Text)!.AsArray().Select(value => value!.GetValue<string>())];

    private ClaimsPrincipal Principal(params Claim[] claims) => new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, _user), .. claims], "Test"));

    // The body is the payload, as another back end would store it.
    private async Task<string> SignInAsync(HttpContext http, IGridSessions sessions)
    {
        using var body = new StreamReader(http.Request.Body);
        var payload = JsonNode.Parse(await body.ReadToEndAsync())!.AsObject();
        return (await http.SignInGridAsync(_user, payload)).Handle;
    }

    private Task<ClientApp> StartAsync(ClaimsPrincipal principal, Action<GridOptions>? configure = null) => ClientApp.StartAsync(core, configure, environment: "Development", use: app =>
    {
        app.MapGrid();
        app.MapPost("/go", (HttpContext http) => http.SignInAsync(principal));
        app.MapPost("/as", SignInAsync);
        app.MapGet("/name", (HttpContext http) => http.User.Identity!.Name).RequireAuthorization();
        app.MapGet("/claims", (HttpContext http, string type) => http.User.FindAll(type).Select(claim => claim.Value)).RequireAuthorization();
        foreach (var role in (string[])["admin", "editor", "owner"])
        {
            app.MapGet("/in/" + role, () => "in").RequireAuthorization(new AuthorizeAttribute { Roles = role });
        }

        app.MapGet("/role-claim", () => "in").RequireAuthorization(policy => policy.RequireClaim(ClaimTypes.Role, "admin"));
        app.MapGet("/st-role-claim", () => "in").RequireAuthorization(policy => policy.RequireClaim("st-role", "admin"));
    });

    private sealed class News : Hub;
}
