using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Registry;
using Grid.TestKit;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(Grid.Storage.Tests.SharedPostgreSql))]

namespace Grid.Storage.Tests;

/// <summary>One server for the whole run; each test has a database of its own.</summary>
public sealed class SharedPostgreSql : IAsyncLifetime
{
    public PostgreSqlServer? Server { get; private set; }

    public async ValueTask InitializeAsync() => Server = await PostgreSqlServer.TryStartAsync();

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}

/// <summary>A fresh database of either engine with the store over it.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private TestStore(StoreOptions options, bool migrate = true, TimeProvider? clock = null)
    {
        Options = options;
        if (migrate)
        {
            StoreMigrator.For(options).Apply();
        }

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddGridStorage(options);
        _services = services.BuildServiceProvider();
        Store = _services.GetRequiredService<ISessionStore>();
    }

    public StoreOptions Options { get; }

    public ISessionStore Store { get; }

    public IHolderStore Holders => _services.GetRequiredService<IHolderStore>();

    public IServiceStore Services => _services.GetRequiredService<IServiceStore>();

    public IHolderRegistry Registry => _services.GetRequiredService<IHolderRegistry>();

    public IInstallationStore Installation => _services.GetRequiredService<IInstallationStore>();

    public IImportStore Imports => _services.GetRequiredService<IImportStore>();

    public IStoreStartup Startup => _services.GetRequiredService<IStoreStartup>();

    public IStoreCondition Condition => _services.GetRequiredService<IStoreCondition>();

    public IStoreGuard Guard => _services.GetRequiredService<IStoreGuard>();

    public Sqlite.SqliteStatements OpenSqlite() => _services.GetRequiredService<Sqlite.SqliteDatabase>().Open();

    public static async Task<StoreOptions> OptionsAsync(StoreEngine engine, SharedPostgreSql shared)
    {
        if (engine == StoreEngine.Sqlite)
        {
            return new StoreOptions { Engine = engine, SqlitePath = Path.Combine(Directory.CreateTempSubdirectory("grid-sqlite-").FullName, "grid.db") };
        }

        Assert.SkipWhen(shared.Server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        return new StoreOptions { Engine = engine, ConnectionString = await shared.Server!.CreateDatabaseAsync() };
    }

    /// <param name="engine">Over which engine.</param>
    /// <param name="shared">The server, if it is PostgreSQL.</param>
    /// <param name="clock">By which writes have waited too long.</param>
    public static async Task<TestStore> OpenAsync(StoreEngine engine, SharedPostgreSql shared, TimeProvider? clock = null) =>
        new(await OptionsAsync(engine, shared), clock: clock);

    public static TestStore Open(StoreOptions options, TimeProvider? clock = null) => new(options, clock: clock);

    public static TestStore OpenUnmigrated(StoreOptions options) => new(options, migrate: false);

    public static SessionRecord NewSession(
        string? userId = null, string tenantId = TenantKey.PublicId, AppKey? app = null, TimeSpan? validity = null, string payload = "{}")
    {
        var now = Now();
        return new SessionRecord
        {
            Key = new SessionKey(app ?? AppKey.Public, SessionHandle.Create(tenantId, now)),
            UserId = userId ?? $"user-{Guid.NewGuid():N}",
            Chain = new RefreshChain(TokenHash.Of(Guid.NewGuid().ToString())),
            PayloadJson = payload,
            DataJson = "{}",
            UseDynamicKey = true,
            CreatedAt = now,
            ExpiresAt = now + (validity ?? TimeSpan.FromDays(1)),
        };
    }

    public static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Ends the store, and leaves the files.</summary>
    public ValueTask CloseAsync() => _services.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (Options.SqlitePath is { } path)
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    /// <summary>A wall clock beside which no time passes: a starved machine must not look like a store that is too slow.</summary>
    public sealed class StillTime : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
