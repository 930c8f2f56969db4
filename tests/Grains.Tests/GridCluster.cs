using System.Collections.Concurrent;
using System.Security.Cryptography;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Registry;
using Grid.Storage;
using Grid.TestKit;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

[assembly: AssemblyFixture(typeof(Grid.Grains.Tests.GridCluster))]

namespace Grid.Grains.Tests;

/// <summary>Three silos in this process over one real SQLite session store; tests share it and use fresh keys.</summary>
public sealed class GridCluster : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-grains-").FullName;
    private readonly byte[] _keyEncryptionKey = RandomNumberGenerator.GetBytes(32);
    private ServiceProvider? _storage;
    private InProcessTestCluster? _cluster;

    internal FaultyStore Store { get; private set; } = null!;

    internal StateFaults StateFaults { get; } = new();

    internal StartedCalls Calls { get; } = new();

    internal SkippingTime Clock { get; } = new();

    /// <summary>What each silo knew of its clock at the moment from which others send it calls.</summary>
    internal ConcurrentBag<ClockVerdict> ClocksBeforeCalls { get; } = [];

    internal InProcessTestCluster Cluster => _cluster ?? throw new InvalidOperationException("Not started.");

    internal IInstallationStore Installation => _storage!.GetRequiredService<IInstallationStore>();

    internal KeyProtector Protector => new(_keyEncryptionKey);

    internal KeyProtector ProtectorWith(byte[] next) => new(next, [_keyEncryptionKey]);

    internal IGrainFactory Grains => Cluster.Client;

    public async ValueTask InitializeAsync()
    {
        var options = new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(_folder, "grid.db") };
        StoreMigrator.For(options).Apply();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddGridStorage(options);
        _storage = services.BuildServiceProvider();
        await Installation.CreateAsync(new InstallationRecord { ClusterId = "test", Canary = new KeyProtector(_keyEncryptionKey).SealCanary() }, CancellationToken.None);
        Store = new FaultyStore(_storage.GetRequiredService<ISessionStore>());

        var builder = new InProcessTestClusterBuilder(initialSilosCount: 3);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(Clock);
            silo.Services.AddSingleton<ISessionStore>(Store);
            silo.Services.AddSingleton<ISessionReader>(Store);
            silo.Services.AddSingleton(_storage.GetRequiredService<IHolderStore>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IHolderRegistry>());
            silo.Services.AddSingleton(Installation);
            silo.Services.AddSingleton(_storage.GetRequiredService<IImportStore>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IStoreClock>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IServiceStore>());
            silo.Services.AddSingleton(new KeyProtector(_keyEncryptionKey));
            silo.Services.AddSingleton(new AppDefaults());
            silo.AddMemoryGrainStorage("memory");
            silo.Services.AddKeyedSingleton<IGrainStorage>(
                GrainStores.State, (provider, _) => new FaultyStateStorage(provider.GetRequiredKeyedService<IGrainStorage>("memory"), StateFaults));
            silo.UseInMemoryReminderService();
            silo.AddGridGrains();
            silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => new BeforeCalls(() => ClocksBeforeCalls.Add(provider.GetRequiredService<ClockTrust>().Verdict)));
            silo.AddIncomingGrainCallFilter(Calls);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        if (_storage is not null)
        {
            await _storage.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private sealed class BeforeCalls(Action look) : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle observer) => observer.Subscribe(nameof(BeforeCalls), ServiceLifecycleStage.BecomeActive - 1, _ =>
        {
            look();
            return Task.CompletedTask;
        });
    }

    /// <summary>A service of one silo.</summary>
    internal T Service<T>(int silo = 0)
        where T : notnull => Cluster.GetSiloServiceProvider(Cluster.Silos[silo].SiloAddress).GetRequiredService<T>();

    /// <summary>Both steps of a revocation, as a door takes them.</summary>
    internal async Task<(RevokedSessions Revoked, RevocationReceipt Receipt)> RevokeAsync(RevocationScope scope, CancellationToken cancellationToken, int silo = 0)
    {
        var revoked = await Service<ISessionRevoker>(silo).CommitAsync(scope, RevocationReason.Requested, cancellationToken);
        return (revoked, await Service<Revoker>(silo).ConfirmAsync(revoked.Entries, cancellationToken));
    }

    /// <summary>An app that no other test uses.</summary>
    internal async Task<AppKey> CreateAppAsync(string coreConfig = "{}")
    {
        var app = new AppKey("", $"app-{Guid.NewGuid():N}");
        var put = await Grains.GetGrain<ICatalogGrain>(0).PutAppAsync(
            app, new TenantChange { CoreConfigPatchJson = coreConfig }, CancellationToken.None);
        Assert.Equal(PutOutcome.Created, put.Outcome);
        return app;
    }

    /// <summary>A stored session and the refresh token that it was made with.</summary>
    internal async Task<TestSession> CreateSessionAsync(
        AppKey? app = null, string tenantId = TenantKey.PublicId, string? userId = null, TimeSpan? validity = null)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(Clock.GetUtcNow().ToUnixTimeMilliseconds());
        var key = new SessionKey(app ?? AppKey.Public, SessionHandle.Create(tenantId, now));
        var session = new TestSession(Grains.GetGrain<ISessionGrain>(key.ToString()), key, userId ?? $"user-{Guid.NewGuid():N}", $"token-{Guid.NewGuid():N}");
        var created = await session.Grain.CreateAsync(
            new NewSession
            {
                UserId = session.UserId,
                RefreshTokenHash = TestSession.Hash(session.Token),
                PayloadJson = """{"role":"admin"}""",
                DataJson = "{}",
                UseDynamicKey = true,
                CreatedAt = now,
                ExpiresAt = now + (validity ?? TimeSpan.FromDays(100)),
            },
            CancellationToken.None);
        Assert.Equal(SessionOutcome.Ok, created.Outcome);
        return session;
    }
}
