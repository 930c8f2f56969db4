using System.Security.Cryptography;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Grains.Sessions;
using Grid.Revocation.Registry;
using Grid.Storage;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Grid.Grains.Tests.Sessions;

/// <summary>Grains that nobody calls give their memory back. A silo of its own, in which that takes seconds.</summary>
public sealed class IdleGrainTests : IAsyncLifetime
{
    // Shorter than the age at which a grain leaves unasked.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-idle-").FullName;
    private readonly TimeProvider _clock = TimeProvider.System;
    private ServiceProvider? _storage;
    private InProcessTestCluster? _cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ISessionStore Store => _storage!.GetRequiredService<ISessionStore>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

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

    [Fact]
    public async Task Grains_of_sessions_and_users_leave_some_time_after_their_last_call()
    {
        await StartAsync(collection =>
        {
            collection.CollectionQuantum = TimeSpan.FromSeconds(0.5);
            collection.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!] = TimeSpan.FromSeconds(1);
            collection.ClassSpecificCollectionAge[typeof(UserGrain).FullName!] = TimeSpan.FromSeconds(1);
        });
        var key = await InsertAsync();
        await Session(key).UpdateAsync(null, """{"a":1}""", Stop);
        await User("anna").ListAsync(allTenants: false, Stop);

        await UntilGoneAsync<SessionGrain>();
        await UntilGoneAsync<UserGrain>();

        // What it remembered is in the store, so that nobody notices.
        Assert.Equal("""{"a":1}""", (await Session(key).UpdateAsync(null, null, Stop)).Session!.DataJson);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 10)]
    public void By_default_they_leave_after_two_minutes_or_when_grains_are_collected(double quantum, double age)
    {
        var options = new GrainCollectionOptions { CollectionQuantum = TimeSpan.FromMinutes(quantum) };

        new IdleGrains().PostConfigure(null, options);

        Assert.Equal(TimeSpan.FromMinutes(age), options.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!]);
        Assert.Equal(TimeSpan.FromMinutes(age), options.ClassSpecificCollectionAge[typeof(UserGrain).FullName!]);
    }

    [Fact]
    public async Task A_grain_leaves_at_once_when_its_session_is_not_there_was_created_or_ended()
    {
        await StartAsync(_ => { });
        Assert.Equal(SessionOutcome.NotFound, (await Session(NewKey()).UpdateAsync("{}", null, Stop)).Outcome);
        await UntilGoneAsync<SessionGrain>();

        var key = NewKey();
        await Session(key).CreateAsync(
            new NewSession
            {
                UserId = "anna",
                RefreshTokenHash = TestSession.Hash("first"),
                PayloadJson = "{}",
                DataJson = "{}",
                UseDynamicKey = true,
                CreatedAt = _clock.GetUtcNow(),
                ExpiresAt = _clock.GetUtcNow().AddDays(1),
            },
            Stop);
        await UntilGoneAsync<SessionGrain>();

        var session = new TestSession(Session(key), key, "anna", "first");
        Assert.Equal(RefreshVerdict.Reuse, (await session.RefreshAsync("stolen", "second")).Verdict);
        await UntilGoneAsync<SessionGrain>();
    }

    private static SessionKey NewKey() => new(AppKey.Public, new SessionHandle(Guid.NewGuid(), TenantKey.PublicId));

    private async Task StartAsync(Action<GrainCollectionOptions> collect)
    {
        var options = new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(_folder, "grid.db") };
        StoreMigrator.For(options).Apply();
        var key = RandomNumberGenerator.GetBytes(32);
        _storage = new ServiceCollection().AddLogging().AddSingleton(_clock).AddGridStorage(options).BuildServiceProvider();
        var installation = _storage.GetRequiredService<IInstallationStore>();
        await installation.CreateAsync(new InstallationRecord { ClusterId = "idle", Canary = new KeyProtector(key).SealCanary() }, CancellationToken.None);
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(_clock);
            silo.Services.AddSingleton(Store);
            silo.Services.AddSingleton<ISessionReader>(Store);
            silo.Services.AddSingleton(_storage.GetRequiredService<IHolderStore>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IHolderRegistry>());
            silo.Services.AddSingleton(installation);
            silo.Services.AddSingleton(_storage.GetRequiredService<IImportStore>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IStoreClock>());
            silo.Services.AddSingleton(_storage.GetRequiredService<IServiceStore>());
            silo.Services.AddSingleton(new KeyProtector(key));
            silo.Services.AddSingleton(new AppDefaults());
            silo.AddMemoryGrainStorage(GrainStores.State);
            silo.UseInMemoryReminderService();
            silo.AddGridGrains();

            silo.Services.Configure(collect);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    private async Task<SessionKey> InsertAsync()
    {
        var row = new SessionRecord
        {
            Key = NewKey(),
            UserId = "anna",
            Chain = new RefreshChain(TestSession.Hash("first")),
            PayloadJson = "{}",
            DataJson = "{}",
            UseDynamicKey = true,
            CreatedAt = _clock.GetUtcNow(),
            ExpiresAt = _clock.GetUtcNow().AddDays(1),
        };
        Assert.True(await Store.InsertAsync(row, Stop));
        return row.Key;
    }

    private ISessionGrain Session(SessionKey key) => _cluster!.Client.GetGrain<ISessionGrain>(key.ToString());

    private IUserGrain User(string id) => _cluster!.Client.GetGrain<IUserGrain>(new UserKey(new TenantKey(AppKey.Public, TenantKey.PublicId), id).ToString());

    private async Task<int> CountAsync<TGrain>() =>
        (await _cluster!.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Count(grain => grain.GrainType.Contains(typeof(TGrain).Name, StringComparison.Ordinal));

    private async Task UntilGoneAsync<TGrain>()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        while (await CountAsync<TGrain>() > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }
    }
}
