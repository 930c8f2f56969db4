using System.Net;
using Grid.Adversary.Tests.Operators;

namespace Grid.Adversary.Tests.OtherApps;

/// <summary>An app whose id reads as the same number as another's.</summary>
public sealed class LookalikeAppTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ids_that_read_as_one_number_are_different_apps(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var silo = await installation.ServeAsync(Installation.NewKey());
        await PutAsync(silo.Http, """{"appId":"a1"}""");
        var session = await silo.Http.CreateAsync("alice", "/appid-a1");

        var (code, _) = await silo.Http.CallAsync("/appid-0a1/recipe/session/verify", "{}");
        Assert.Equal(HttpStatusCode.BadRequest, code);

        await PutAsync(silo.Http, """{"appId":"0a1","coreConfig":{"api_keys":"a-key-of-somebody-else-0123"}}""");
        Assert.Equal("OK", await silo.Http.VerifyAsync(session.Access, "/appid-a1"));
        await silo.Http.CreateAsync("bob", "/appid-a1");
        Assert.Equal("401", await silo.Http.VerifyAsync(session.Access, "/appid-0a1"));
        Assert.Equal("TRY_REFRESH_TOKEN", await silo.Http.VerifyAsync(session.Access, "/appid-0a1", "a-key-of-somebody-else-0123"));
    }

    private static async Task PutAsync(HttpClient http, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/recipe/multitenancy/app/v2") { Content = new StringContent(body) };
        request.Headers.TryAddWithoutValidation("cdi-version", "5.6");
        using var answer = await http.SendAsync(request);
        Assert.Contains("\"createdNew\":true", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
