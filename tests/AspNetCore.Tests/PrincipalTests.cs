using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Tests;

/// <summary><c>HttpContext.SignInAsync(principal)</c>, and the ticket that a session becomes.</summary>
public sealed class PrincipalTests(CoreHost core)
{
    [Fact]
    public async Task No_claim_of_a_principal_reaches_scripts_unless_it_is_named()
    {
        Assert.Equal(["iss"], await PayloadAsync(o => o.PrincipalClaims.Clear()));
        Assert.Equal(["amr", "email", "iss"], await PayloadAsync(o =>
        {
            o.PrincipalClaims.Clear();
            o.PrincipalClaims.Add("amr");
            o.PrincipalClaims.Add("email");
        }));
        Assert.Equal(["iss", "st-role"], await PayloadAsync(_ => { }));
        Assert.Equal(["amr", "email", ClaimTypes.Email, "iss", "refresh_token", "st-role"], await PayloadAsync(o => o.PrincipalClaims.Add("*"), secrets: ["SECURITY"]));
    }

    [Theory]
    [InlineData("AspNet.Identity.SecurityStamp")]
    [InlineData("securitystamp")]
    [InlineData("sub")]
    [InlineData("exp")]
    [InlineData("iss")]
    [InlineData("sessionHandle")]
    [InlineData(ClaimTypes.NameIdentifier)]
    public void Secrets_and_what_the_session_service_says_itself_cannot_be_named(string type)
    {
        var options = new GridOptions();
        options.PrincipalClaims.Add(type);

        Assert.Contains("PrincipalClaims", GridOptionsCheck.Problem(options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ticket_expires_with_the_access_token()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.MapGrid();
            app.MapGet("/ticket", async (HttpContext http) => await http.Response.WriteAsync($"{(await http.AuthenticateAsync()).Properties!.ExpiresUtc!.Value.ToUnixTimeMilliseconds()}")).RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        var ends = (await browser.PostAsync("/sign-in?user=u")).Front["ate"]!.GetValue<long>();

        Assert.Equal(ends, long.Parse((await browser.GetAsync("/ticket")).Text, System.Globalization.CultureInfo.InvariantCulture));
    }

    private async Task<string[]> PayloadAsync(Action<GridOptions> configure, params string[] secrets)
    {
        await using var app = await ClientApp.StartAsync(core, configure, use: app =>
        {
            app.MapGrid();
            app.MapPost("/go", (HttpContext http) => http.SignInAsync(GridDefaults.AuthenticationScheme, new ClaimsPrincipal(new ClaimsIdentity(
                [
                    new(ClaimTypes.NameIdentifier, "u-1"), new("AspNet.Identity.SecurityStamp", "SECURITY SECRET"), new(ClaimTypes.Email, "a@b.c"), new("email", "a@b.c"),
                    new("amr", "pwd"), new("amr", "otp"), new(ClaimTypes.Role, "admin"), new("refresh_token", "SECRET"), new("aud", "x"),
                ],
                "Identity")), new AuthenticationProperties { IsPersistent = true }));
        });
        using var browser = app.NewBrowser();
        var answer = await browser.PostAsync("/go");
        Assert.Equal((200, "u-1"), (answer.Status, answer.Front["uid"]!.GetValue<string>()));
        Assert.All(secrets is [] ? ["SECRET"] : secrets, secret => Assert.DoesNotContain(secret, answer.Front.ToJsonString(), StringComparison.Ordinal));
        string[] own = ["iat", "exp", "sub", "tId", "rsub", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"];
        return [.. answer.Front["up"]!.AsObject().Select(member => member.Key).Except(own).Order()];
    }
}
