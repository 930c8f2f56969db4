using System.Net;
using System.Text;
using Grid.Hosting.Settings;
using Microsoft.Extensions.Configuration;

namespace Grid.Silo.Tests.Telemetry;

/// <summary><c>/dashboard</c> of a silo that has it switched on.</summary>
[Collection(nameof(MeteredSilo))]
public sealed class OrleansDashboardTests(MeteredSilo silo)
{
    [Theory]
    [InlineData("/dashboard/", "", HttpStatusCode.Unauthorized)]
    [InlineData("/dashboard/DashboardCounters", "", HttpStatusCode.Unauthorized)]
    [InlineData("/dashboard/", MeteredSilo.MetricsKey, HttpStatusCode.Unauthorized)]
    [InlineData("/dashboard/", MeteredSilo.ApiKey, HttpStatusCode.OK)]
    [InlineData("/dashboard/DashboardCounters", MeteredSilo.ApiKey, HttpStatusCode.OK)]
    public async Task A_browser_sees_it_with_an_API_key_as_the_password(string path, string password, HttpStatusCode status)
    {
        using var http = new HttpClient { BaseAddress = silo.Silo.Core };
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"operator:{password}")));

        using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Any(way => way.Scheme == "Basic"));
    }

    [Theory]
    [InlineData("/dashboard/")]
    [InlineData("/DashboardCounters")]
    [InlineData("/dashboard/DashboardCounters")]
    [InlineData("/index.min.js")]
    public async Task The_front_has_none(string path)
    {
        using var answer = await silo.Front.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task What_is_below_its_path_is_nowhere_else()
    {
        Assert.Equal("Hello\n", await silo.Core.GetStringAsync("/core/", TestContext.Current.CancellationToken));
        using var counters = await silo.Core.GetAsync("/core/DashboardCounters", TestContext.Current.CancellationToken);
        Assert.NotEqual(HttpStatusCode.OK, counters.StatusCode);
    }

    [Fact]
    public void Without_API_keys_it_is_refused()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Grid:Telemetry:Dashboard"] = "true" }).Build();

        Assert.Contains("Grid:Core:ApiKeys", Assert.Throws<SettingsException>(() => GridSettings.Read(configuration)).Message, StringComparison.Ordinal);
    }
}
