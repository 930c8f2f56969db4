using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grid.Storage;
using Grid.TestKit;

namespace Grid.Adversary.Tests;

/// <summary>Real silos over either engine, with two apps that have keys of their own: <c>shop</c>, the victim, and <c>pest</c>.</summary>
internal sealed class TwoApps : IAsyncDisposable
{
    public const string Shop = "/appid-shop";
    public const string ShopKey = "key-of-the-shop-0123456789";
    public const string Pest = "/appid-pest";
    public const string PestKey = "key-of-the-pest-0123456789";
    private const string Key = "installation-key-0123456789";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-adversary-").FullName;
    private readonly string _encryptionKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly List<GridProcess> _silos = [];
    private PostgreSqlServer? _postgreSql;

    /// <summary>W of a lease of 3 s.</summary>
    public static TimeSpan Wait { get; } = TimeSpan.FromSeconds(4);

    public static TheoryData<StoreEngine> Engines => [StoreEngine.Sqlite, StoreEngine.PostgreSql];

    public IReadOnlyList<GridProcess> Silos => _silos;

    public HttpClient Http => _silos[0].Http;

    /// <summary>To look into what is stored; PostgreSQL only.</summary>
    public string Database { get; private set; } = "";

    public static async Task<TwoApps> StartAsync(StoreEngine engine, int silos = 1, params (string Name, string Value)[] settings)
    {
        var installation = new TwoApps();
        List<(string, string)> environment =
        [
            ("Grid__Core__ApiKeys", Key), ("Grid__Revocation__Lease", "00:00:03"), ("Grid__Front__Enabled", "false"), ("Grid__Keys__EncryptionKey", installation._encryptionKey), .. settings,
        ];
        if (engine == StoreEngine.PostgreSql)
        {
            installation._postgreSql = await PostgreSqlServer.TryStartAsync();
            Assert.SkipWhen(installation._postgreSql is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
            installation.Database = await installation._postgreSql!.CreateDatabaseAsync();
            environment.Add(("Grid__Store__ConnectionString", installation.Database));
        }

        for (var i = 0; i < silos; i++)
        {
            installation._silos.Add(await GridProcess.ServeAsync(installation._folder, [.. environment]));
        }

        await installation.PutAppAsync("shop", ShopKey);
        await installation.PutAppAsync("pest", PestKey);
        return installation;
    }

    public Task PutAppAsync(string app, string keys) =>
        PutAsync("/recipe/multitenancy/app/v2", $$$"""{"appId":"{{{app}}}","coreConfig":{"api_keys":"{{{keys}}}"}}""", Key);

    public Task PutTenantAsync(string app, string key, string tenant) =>
        PutAsync($"{app}/recipe/multitenancy/tenant/v2", $$"""{"tenantId":"{{tenant}}"}""", key);

    private async Task PutAsync(string path, string json, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
            Headers = { { "api-key", key } },
        };
        using var made = await Http.SendAsync(request);
        made.EnsureSuccessStatusCode();
    }

    public Task RemoveAppAsync(string app) => Http.CallAsync("/recipe/multitenancy/app/remove", $$"""{"appId":"{{app}}"}""", Key);

    /// <summary>Revokes a user's sessions and says who stands behind it.</summary>
    public async Task<(int Confirmed, int WaitedOut)> RevokeAsync(string user, string app = Shop, string key = ShopKey, int silo = 0)
    {
        var (code, body) = await _silos[silo].Http.CallAsync($"{app}/session/revoke", $$"""{"userId":"{{user}}","revokeAcrossAllTenants":false}""", key);
        Assert.Equal(HttpStatusCode.OK, code);
        JsonNode holders = body!["holders"]!;
        return ((int)holders["confirmed"]!, (int)holders["waitedOut"]!);
    }

    public async ValueTask DisposeAsync()
    {
        _silos.ForEach(silo => silo.Dispose());
        if (_postgreSql is not null)
        {
            await _postgreSql.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
