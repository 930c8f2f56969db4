using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>What a request to the core behind Grid looked like there.</summary>
internal sealed record Seen(string Method, string Target, ImmutableDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>Stands for a SuperTokens core behind Grid: keeps apps and tenants, records every request, and answers as a test wishes.</summary>
internal sealed class StandInCore : IAsyncDisposable
{
    public const string Key = "the-key-of-the-core-behind-grid";

    private readonly WebApplication _app;

    public StandInCore()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public Uri Url => new(_app.Urls.First());

    /// <summary>Every request, in order; those for versions, key sets and domains, which Grid asks by itself, left out.</summary>
    public ConcurrentQueue<Seen> Requests { get; } = new();

    /// <summary>Apps with their tenants, as <c>app/tenant</c>.</summary>
    public ConcurrentDictionary<string, JsonObject> Tenants { get; } = new();

    /// <summary>What answers paths that end so, before anything else; the body is not read before.</summary>
    public ConcurrentDictionary<string, RequestDelegate> Answers { get; } = new();

    /// <summary>Accounts, and the id of the user whose they are. Others it does not know.</summary>
    public ConcurrentDictionary<string, string> Owners { get; } = new();

    public string[] Versions { get; set; } = ["3.0", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "9.9"];

    public JsonArray Jwks { get; set; } = [];

    public Task StartAsync() => _app.StartAsync();

    public Task StopAsync() => _app.StopAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>The requests for paths that end so.</summary>
    public List<Seen> For(string path) => [.. Requests.Where(seen => seen.Target.Split('?')[0].EndsWith(path, StringComparison.Ordinal))];

    public static async Task WriteAsync(HttpContext context, string json, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = status == 200 ? "application/json;charset=utf-8" : "text/html;charset=utf-8";
        await context.Response.WriteAsync(json);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var path = target.Split('?')[0];
        path = path.StartsWith("/behind/", StringComparison.Ordinal) ? path["/behind".Length..] : path;
        var special = Answers.Where(answer => path.EndsWith(answer.Key, StringComparison.Ordinal)).Select(answer => answer.Value).FirstOrDefault();
        if (context.Request.Headers["api-key"] != Key && !path.EndsWith("/jwks.json", StringComparison.Ordinal))
        {
            await WriteAsync(context, "Invalid API key\n", 401);
            return;
        }

        if (special is not null)
        {
            await special(context);
            return;
        }

        if (path.EndsWith("/apiversion", StringComparison.Ordinal))
        {
            await WriteAsync(context, JsonSerializer.Serialize(new { versions = Versions }));
            return;
        }

        if (path.EndsWith("/jwks.json", StringComparison.Ordinal))
        {
            await WriteAsync(context, new JsonObject { ["keys"] = Jwks.DeepClone() }.ToJsonString());
            return;
        }

        if (path == "/recipe/multitenancy/connectionuridomain/list" && context.Request.Headers.AcceptEncoding == "identity")
        {
            // Grid's own question.
            await WriteAsync(context, """{"status":"OK","connectionUriDomains":[]}""");
            return;
        }

        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var seen = new Seen(
            context.Request.Method, target, context.Request.Headers.ToImmutableDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
        Requests.Enqueue(seen);
        await WriteAsync(
            context,
            path.EndsWith("/user/id", StringComparison.Ordinal) ? User(context.Request.Query["userId"].ToString()) : Tenancy(seen, path) ?? """{"status":"OK","from":"upstream"}""",
            200);
    }

    private string User(string id)
    {
        var owner = Owners.TryGetValue(id, out var found) ? found : Owners.Values.FirstOrDefault(user => user == id);
        var methods = Owners.Where(account => account.Value == owner).Select(account => new JsonObject { ["recipeUserId"] = account.Key });
        return owner is null
            ? """{"status":"UNKNOWN_USER_ID_ERROR"}"""
            : new JsonObject { ["status"] = "OK", ["user"] = new JsonObject { ["id"] = owner, ["isPrimaryUser"] = Owners.Any(account => account.Value == owner && account.Key != owner), ["loginMethods"] = new JsonArray([.. methods]) } }.ToJsonString();
    }

    // A small copy of the original's multi-tenancy.
    private string? Tenancy(Seen seen, string path)
    {
        var app = path.StartsWith("/appid-", StringComparison.Ordinal) ? path[7..path.IndexOf('/', 1)] : "public";
        var rest = app == "public" ? path : path[(7 + app.Length)..];
        var at = rest.IndexOf("/recipe/multitenancy/", StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var tenant = at == 0 ? "public" : rest[1..at];
        var json = seen.Body.Length > 0 ? JsonNode.Parse(seen.Body)!.AsObject() : [];
        switch (rest[(at + "/recipe/multitenancy/".Length)..].Replace("/v2", "", StringComparison.Ordinal))
        {
            case "app" when seen.Method == "PUT":
                return Put($"{json["appId"]}/public", json);
            case "tenant" when seen.Method == "PUT":
                return Put($"{app}/{json["tenantId"]}", json);
            case "tenant":
                return Tenants.TryGetValue($"{app}/{tenant}", out var kept)
                    ? new JsonObject { ["status"] = "OK", ["tenantId"] = tenant, ["coreConfig"] = kept["coreConfig"]?.DeepClone() ?? new JsonObject() }.ToJsonString()
                    : """{"status":"TENANT_NOT_FOUND_ERROR"}""";
            case "tenant/remove":
                return $$"""{"status":"OK","didExist":{{(Tenants.TryRemove($"{app}/{json["tenantId"]}", out _) ? "true" : "false")}}}""";
            case "app/remove":
                return $$"""{"status":"OK","didExist":{{(Tenants.TryRemove($"{json["appId"]}/public", out _) ? "true" : "false")}}}""";
            case "tenant/list":
                var of = new JsonArray([.. Tenants.Keys.Where(name => name.StartsWith(app + "/", StringComparison.Ordinal)).Select(name => new JsonObject { ["tenantId"] = name[(app.Length + 1)..] })]);
                return new JsonObject { ["status"] = "OK", ["tenants"] = of }.ToJsonString();
            default:
                return null;
        }
    }

    private string Put(string name, JsonObject json)
    {
        var isNew = Tenants.TryAdd(name, json);
        return $$"""{"status":"OK","createdNew":{{(isNew ? "true" : "false")}}}""";
    }
}
