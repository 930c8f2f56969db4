using System.Security.Cryptography;
using System.Text;

namespace Grid.WebFront.Tests;

/// <summary>Whole texts: order of members, spelling of numbers and escapes are part of the contract.</summary>
public sealed class WireTextTests(CoreHost core)
{
    // The user's own order, numbers, escapes and emptiness.
    private const string Odd = """{"z":1.0e2,"a":[1,2.50,-0],"é":"\u00e9é","deep":{"b":{},"a":[]},"n":null,"sp": [ 1 ]}""";

    [Theory]
    [InlineData("2.21", "", "", "")]
    [InlineData("3.1", "", ",\"tenantId\":\"public\"", "\"tId\":\"public\",")]
    [InlineData("4.0", ",\"recipeUserId\":\"u1\"", ",\"tenantId\":\"public\"", "\"tId\":\"public\",\"rsub\":\"u1\",")]
    [InlineData("5.4", ",\"recipeUserId\":\"u1\"", ",\"tenantId\":\"public\"", "\"tId\":\"public\",\"rsub\":\"u1\",")]
    [InlineData("5.6", ",\"recipeUserId\":\"u1\"", ",\"tenantId\":\"public\"", "\"tId\":\"public\",\"rsub\":\"u1\",")]
    public async Task A_create_its_token_a_verification_and_a_read(string version, string recipeUser, string tenant, string claims)
    {
        var app = await core.CreateAppAsync();
        var created = await core.PostAsync(
            $"{app}/recipe/session", $$$"""{"userId":"u1","enableAntiCsrf":true,"userDataInJWT":{{{Odd}}},"userDataInDatabase":{{{Odd}}}}""", version);
        var handle = $"{created.Json["session"]!["handle"]}";
        var antiCsrf = $"{created.Json["antiCsrfToken"]}";
        var (access, accessExpiry, accessCreated) = Token(created, "accessToken");
        var (refresh, refreshExpiry, refreshCreated) = Token(created, "refreshToken");
        var session = $$$"""{"handle":"{{{handle}}}","userId":"u1"{{{recipeUser}}},"userDataInJWT":{{{Odd}}}{{{tenant}}}}""";

        Assert.Equal(
            $$$"""{"status":"OK","session":{{{session}}},"accessToken":{"token":"{{{access}}}","expiry":{{{accessExpiry}}},"createdTime":{{{accessCreated}}}},"refreshToken":"""
            + $$$"""{"token":"{{{refresh}}}","expiry":{{{refreshExpiry}}},"createdTime":{{{refreshCreated}}}},"antiCsrfToken":"{{{antiCsrf}}}"}""",
            created.Text);

        var hash1 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(refresh)));
        Assert.Equal(
            $$$"""{"sub":"u1","exp":{{{accessExpiry / 1000}}},"iat":{{{accessCreated / 1000}}},{{{claims}}}"sessionHandle":"{{{handle}}}","refreshTokenHash1":"{{{hash1}}}","parentRefreshTokenHash1":"""
            + $$$"""null,"antiCsrfToken":"{{{antiCsrf}}}",{{{Odd[1..]}}}""",
            Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(access.Split('.')[1])));

        Assert.Equal($$$"""{"status":"OK","session":{{{session}}}}""", (await core.VerifyAsync(app, access, version: version)).Text);

        var members = (recipeUser + tenant).TrimStart(',');
        Assert.Equal(
            $$$"""{"status":"OK","sessionHandle":"{{{handle}}}","userId":"u1",{{{members}}}{{{(members.Length > 0 ? "," : "")}}}"userDataInDatabase":{{{Odd}}},"userDataInJWT":{{{Odd}}},"expiry":"""
            + $$$"""{{{refreshExpiry}}},"timeCreated":{{{refreshCreated}}}}""",
            (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={handle}", null, version)).Text);
    }

    [Fact]
    public async Task A_reuse_of_a_token_older_than_the_previous_one()
    {
        var app = await core.CreateAppAsync(new { recent_token_reuse_behaviour = "UNAUTHORISED" });
        var created = await core.CreateSessionAsync(app);
        var first = $"{created["refreshToken"]!["token"]}";
        var second = await core.RefreshAsync(app, first);
        var third = await core.RefreshAsync(app, Token(second, "refreshToken").Text);

        // However theft is reported: that leniency is for recent tokens.
        Assert.Equal(
            $$$"""{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"{{{created["session"]!["handle"]}}}","userId":"u1","recipeUserId":"u1"},"recentTokenReuseSubtype":"STALE_LINEAGE"}""",
            (await core.RefreshAsync(app, first)).Text);
        Assert.Equal(
            """{"status":"UNAUTHORISED","message":"Session missing in db or has expired"}""", (await core.RefreshAsync(app, Token(third, "refreshToken").Text)).Text);
    }

    [Fact]
    public async Task A_refreshed_token_of_an_ended_session_without_a_database_check()
    {
        var app = await core.CreateAppAsync();
        var created = await core.CreateSessionAsync(app, version: "5.4");
        var child = await core.RefreshAsync(app, $"{created["refreshToken"]!["token"]}", "5.4");
        await core.PostAsync($"{app}/recipe/session/remove", new { sessionHandles = new[] { $"{created["session"]!["handle"]}" } });

        Assert.Equal(
            """{"status":"UNAUTHORISED","message":"Either the session has ended or has been blacklisted"}""",
            (await core.VerifyAsync(app, Token(child, "accessToken").Text, version: "5.4")).Text);
    }

    private static (string Text, long Expiry, long Created) Token(CoreAnswer answer, string name)
    {
        var token = answer.Json[name]!;
        return ($"{token["token"]}", token["expiry"]!.GetValue<long>(), token["createdTime"]!.GetValue<long>());
    }
}
