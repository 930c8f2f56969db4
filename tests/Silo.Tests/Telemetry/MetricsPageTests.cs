using System.Net;
using System.Text.RegularExpressions;
using Grid.Silo.Hosting;
using Grid.Storage;

namespace Grid.Silo.Tests.Telemetry;

/// <summary><c>/metrics</c> of a silo that has had every kind of traffic.</summary>
[Collection(nameof(MeteredSilo))]
public sealed class MetricsPageTests(MeteredSilo silo)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_is_text_that_Prometheus_reads_and_tells_of_the_traffic()
    {
        var page = await silo.UntilAsync(page => page.Sum("grid_health_status", ("grid_health_check", "all")) == 1 && page.Sum("grid_lease_held") == 1 && page.Sum("grid_holders", ("grid_holder_kind", "silo")) == 1);

        Assert.Equal(3, page.Sum("grid_sessions_created_total"));
        Assert.Equal(2, page.Sum("grid_sessions_refreshed_total", ("grid_verdict", "ok")));
        Assert.Equal(1, page.Sum("grid_sessions_refreshed_total", ("grid_verdict", "token_theft")));
        Assert.Equal(1, page.Sum("grid_sessions_refreshed_total", ("grid_verdict", "unauthorised")));
        Assert.Equal(1, page.Sum("grid_sessions_reuse_detected_total"));
        Assert.Equal(1, page.Sum("grid_sessions_revoked_total", ("grid_revocation_reason", "requested")));
        Assert.Equal(1, page.Sum("grid_sessions_revoked_total", ("grid_revocation_reason", "refresh_token_reuse")));
        Assert.Equal(1, page.Sum("grid_revocation_lag_seconds_count", ("grid_revocation_reason", "requested")));
        Assert.Equal(1, page.Sum("grid_revocation_lag_seconds_count", ("grid_revocation_reason", "refresh_token_reuse")));
        Assert.Equal(2, page.Sum("grid_sessions_verified_total", ("grid_door", "core"), ("grid_verdict", "ok")));
        Assert.Equal(1, page.Sum("grid_sessions_verified_total", ("grid_door", "core"), ("grid_verdict", "try_refresh")));
        Assert.Equal(1, page.Sum("grid_sessions_verified_total", ("grid_door", "core"), ("grid_verdict", "unauthorised")));
        Assert.Contains("grid_sessions_remembered", page.Names);
        Assert.Equal(1, page.Sum("grid_lease_held"));
        Assert.InRange(page.Sum("grid_lease_age_seconds"), 0, 60);
        Assert.True(page.Sum("grid_sessions_activated_total") >= 3);
        Assert.Contains("grid_sessions_active", page.Names);
        Assert.Equal(5, page.Sum("grid_token_signing_duration_seconds_count"));
        Assert.True(page.Sum("grid_store_operation_duration_seconds_count", ("grid_store_operation", "write")) >= 6);
        Assert.Contains("grid_queue", page.LabelsOf("grid_queue_length"));
        Assert.True(page.Sum("grid_secrets_refused_total", ("grid_secret", "API key")) >= 1);
        Assert.Contains(page.Names, name => name.StartsWith("orleans_", StringComparison.Ordinal));
        Assert.Contains("http_server_request_duration_seconds_count", page.Names);
        Assert.Contains(page.Names, name => name.StartsWith("dotnet_gc_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_on_the_page_names_a_user_a_session_a_token_or_a_key()
    {
        var page = await silo.ScrapeAsync();

        Assert.All(silo.Secrets, secret => Assert.DoesNotContain(secret, page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Host=db;Username=u;Password=p", true)]
    [InlineData("Host=db;Username=u;SSL Certificate=c;SSL Key=k;SSL Password=p", false)]
    public void The_drivers_meter_which_names_pools_by_their_connection_strings_is_left_out_where_they_keep_a_password(string connectionString, bool isThere)
    {
        var meters = TelemetryHosting.Meters(new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = connectionString });

        Assert.Equal(isThere, meters.Contains("Npgsql"));
    }

    [Theory]
    [InlineData("api-key", MeteredSilo.ApiKey, 200)]
    [InlineData("api-key", MeteredSilo.MetricsKey, 200)]
    [InlineData("Authorization", "Bearer " + MeteredSilo.MetricsKey, 200)]
    [InlineData("api-key", "a-key-that-nobody-has-given", 401)]
    [InlineData(null, "", 401)]
    public async Task Only_an_API_key_or_the_key_for_metrics_opens_the_page(string? header, string value, int status)
    {
        Assert.Equal(status, (int)(await SendAsync(HttpMethod.Get, "/metrics", header, value)).StatusCode);
    }

    [Fact]
    public async Task The_key_for_metrics_opens_nothing_else()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, "/core/recipe/session/user?userId=u", "api-key", MeteredSilo.MetricsKey)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await SendAsync(HttpMethod.Post, "/metrics", "api-key", MeteredSilo.MetricsKey)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/metrics/more", "api-key", MeteredSilo.MetricsKey)).StatusCode);
    }

    [Fact]
    public async Task The_front_has_no_such_page()
    {
        using var answer = await silo.Front.GetAsync("/metrics", Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task The_documented_instruments_are_those_that_the_code_has()
    {
        var page = await silo.ReadAllAsync();

        var documented = Regex.Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "telemetry.md"), Stop), @"^\| `(grid\.[a-z_.]+)` \| [^|]+ \| `?([^|`]+)`? \|", RegexOptions.Multiline)
            .Select(row => Exported(row.Groups[1].Value, row.Groups[2].Value.Trim())).Order(StringComparer.Ordinal);

        Assert.Equal(documented, page.Types.Keys.Where(name => name.StartsWith("grid_", StringComparison.Ordinal)).Select(name => name.Replace("_total", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static string Exported(string instrument, string unit) => instrument.Replace('.', '_') + (unit == "s" ? "_seconds" : "");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? header, string value)
    {
        using var http = new HttpClient { BaseAddress = silo.Silo.Core };
        using var request = new HttpRequestMessage(method, path);
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        return await http.SendAsync(request, Stop);
    }
}
