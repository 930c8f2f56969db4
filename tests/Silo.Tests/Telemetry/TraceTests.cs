using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grid.Hosting;
using Grid.Silo.Commands;
using Grid.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Grid.Silo.Tests.Telemetry;

/// <summary>What <c>grid serve</c> pushes to a collector, over PostgreSQL.</summary>
public sealed class TraceTests
{
    private const string ApiKey = "the-api-key-of-the-traced-silo";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_one_trace_down_to_the_statement_and_nothing_that_is_pushed_names_its_user()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        await using var collector = await Collector.StartAsync();
        var spans = new Spans();
        var trace = ActivityTraceId.CreateRandom();
        List<string> secrets = [ApiKey, $"user-{Guid.NewGuid():N}"];
        await using (var silo = await StartAsync(await server!.CreateDatabaseAsync(), collector.Url, spans))
        {
            using var http = new HttpClient { BaseAddress = silo.Core };
            http.DefaultRequestHeaders.Add("api-key", ApiKey);
            var made = await PostAsync(http, trace, "/recipe/session", new { userId = secrets[1], enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
            secrets.AddRange([$"{made["accessToken"]!["token"]}", $"{made["refreshToken"]!["token"]}", $"{made["session"]!["handle"]}"]);
            await PostAsync(http, trace, "/recipe/session/refresh", new { refreshToken = $"{made["refreshToken"]!["token"]}", enableAntiCsrf = false, useDynamicSigningKey = true });
            using var listed = await http.GetAsync($"/recipe/session/user?userId={secrets[1]}", Stop);
            await PostAsync(http, trace, "/recipe/session/remove", new { userId = secrets[1] });
            await UntilAsync(() => spans.Of(trace).Count(span => span.Source.Name == "Microsoft.AspNetCore") == 3);
            await UntilAsync(() => collector.Has("/v1/traces", "/recipe/session") && collector.Has("/v1/metrics", "grid.sessions.created"));
        }

        var inserted = spans.Of(trace).Single(span => span.DisplayName == "grid.store insert");
        Assert.Contains(spans.Of(trace), span => span.Source.Name == "Npgsql" && span.ParentSpanId == inserted.SpanId);
        List<string> above = [.. spans.Above(inserted).Select(span => span.Source.Name)];
        Assert.Equal("Microsoft.AspNetCore", above[^1]);
        Assert.Contains("Microsoft.Orleans.Application", above);
        Assert.Contains(spans.Of(trace), span => span.DisplayName == "grid.revocation confirm");

        // The user's own grain was asked, whose key is the user.
        Assert.Contains(spans.Of(trace), span => span.DisplayName.Contains("IUserGrain", StringComparison.Ordinal));
        Assert.All(secrets, secret =>
        {
            Assert.DoesNotContain(spans.Exported, span => Text(span).Contains(secret, StringComparison.Ordinal));
            Assert.False(collector.Has("/v1/traces", secret) || collector.Has("/v1/metrics", secret));
        });

        // Leases are renewed every second, and nobody asked for them.
        Assert.All(spans.Exported, span => Assert.True(span.Source.Name == "Microsoft.AspNetCore" || span.ParentSpanId != default, Text(span)));
    }

    private static async Task<SiloApplication> StartAsync(string database, Uri collector, Spans spans)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Grid:Store:ConnectionString"] = database,
            ["Grid:Keys:EncryptionKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["Grid:Cluster:Address"] = "127.0.0.1",
            ["Grid:Cluster:SiloPort"] = "0",
            ["Grid:Core:Port"] = "0",
            ["Grid:Core:ApiKeys"] = ApiKey,
            ["Grid:Front:Enabled"] = "false",
            ["Grid:Shutdown:Drain"] = "00:00:00",
            ["Grid:Logging:Level"] = "None",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
        }).Build();
        var plan = Serve.Plan(configuration);
        var silo = SiloApplication.Build(new SiloPlan
        {
            Configuration = configuration,
            Settings = plan.Settings,
            OpensFront = false,
            Complete = builder =>
            {
                plan.Complete(builder);
                builder.Logging.ClearProviders();
                builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(new SimpleActivityExportProcessor(spans)));
            },
        });
        await silo.StartAsync(Stop);
        return silo;
    }

    private static async Task<JsonObject> PostAsync(HttpClient http, ActivityTraceId trace, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        using var answer = await http.SendAsync(request, Stop);
        answer.EnsureSuccessStatusCode();
        var json = (await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!;
        Assert.Equal("OK", $"{json["status"]}");
        return json;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 1200, "Nothing was pushed.");
            await Task.Delay(100, Stop);
        }
    }

    private static string Text(Activity span) => string.Join(
        ' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}").Concat(span.Events.SelectMany(noted => noted.Tags).Select(tag => $"{tag.Value}")).Concat(span.Baggage.Select(item => item.Value))
            .Append(span.DisplayName).Append(span.StatusDescription).Append(span.Source.Name));

    /// <summary>What goes out, in this process.</summary>
    private sealed class Spans : BaseExporter<Activity>
    {
        private readonly ConcurrentQueue<Activity> _exported = new();

        public IReadOnlyCollection<Activity> Exported => _exported;

        public IEnumerable<Activity> Of(ActivityTraceId trace) => _exported.Where(span => span.TraceId == trace);

        public IEnumerable<Activity> Above(Activity span)
        {
            for (var parent = Find(span); parent is not null; parent = Find(parent))
            {
                yield return parent;
            }
        }

        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var span in batch)
            {
                _exported.Enqueue(span);
            }

            return ExportResult.Success;
        }

        private Activity? Find(Activity of) => _exported.FirstOrDefault(span => span.TraceId == of.TraceId && span.SpanId == of.ParentSpanId);
    }

    /// <summary>Takes what is pushed, and keeps the bytes.</summary>
    private sealed class Collector(WebApplication app) : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(string Path, byte[] Body)> _taken = new();

        public Uri Url => new(app.Urls.First());

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var collector = new Collector(app);
            app.MapPost("/v1/{signal}", collector.TakeAsync);
            await app.StartAsync(Stop);
            return collector;
        }

        public bool Has(string path, string text) => _taken.Any(taken => taken.Path == path && taken.Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _taken.Enqueue((context.Request.Path, body.ToArray()));
        }
    }
}
