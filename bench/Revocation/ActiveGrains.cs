using System.Globalization;
using System.Security.Cryptography;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Grains;
using Grid.Revocation.Registry;
using Grid.Storage;
using Grid.Tokens;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace Grid.Bench.Revocation;

/// <summary>A grain that does nothing: what is left is Orleans' own.</summary>
[Alias("grid.bench.nothing")]
internal interface INothingGrain : IGrainWithStringKey
{
    [Alias("call")]
    Task CallAsync();
}

/// <inheritdoc cref="INothingGrain"/>
internal sealed class NothingGrain : Grain, INothingGrain
{
    public Task CallAsync() => Task.CompletedTask;
}

/// <summary>Bytes that an active grain takes in a silo over SQLite, each after one call.</summary>
internal static class ActiveGrains
{
    public static async Task<List<MemoryFigure>> RunAsync(int count, string folder)
    {
        var options = new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(folder, "grains.db") };
        StoreMigrator.For(options).Apply();
        var secret = RandomNumberGenerator.GetBytes(32);
        await using var storage = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddGridStorage(options).BuildServiceProvider();
        var installation = storage.GetRequiredService<IInstallationStore>();
        await installation.CreateAsync(new InstallationRecord { ClusterId = "bench", Canary = new KeyProtector(secret).SealCanary() }, CancellationToken.None);
        var store = storage.GetRequiredService<ISessionStore>();
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(store);
            silo.Services.AddSingleton<ISessionReader>(store);
            silo.Services.AddSingleton(storage.GetRequiredService<IHolderStore>());
            silo.Services.AddSingleton(storage.GetRequiredService<IHolderRegistry>());
            silo.Services.AddSingleton(installation);
            silo.Services.AddSingleton(storage.GetRequiredService<IImportStore>());
            silo.Services.AddSingleton(storage.GetRequiredService<IStoreClock>());
            silo.Services.AddSingleton(storage.GetRequiredService<IServiceStore>());
            silo.Services.AddSingleton(new KeyProtector(secret));
            silo.Services.AddSingleton(new AppDefaults());
            silo.AddMemoryGrainStorage(GrainStores.State);
            silo.UseInMemoryReminderService();
            silo.AddGridGrains();
        });
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var grains = cluster.GetSiloServiceProvider(cluster.Silos[0].SiloAddress).GetRequiredService<IGrainFactory>();

        // What the first of each kind brings along is nobody's.
        await WeighAsync("", 100, grains, (i, all) => all.GetGrain<INothingGrain>(Key(i + count)).CallAsync());
        List<MemoryFigure> figures = [await WeighAsync("nothing: Orleans' own share", count, grains, (i, all) => all.GetGrain<INothingGrain>(Key(i)).CallAsync())];
        var keys = new SessionKey[count];
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < count; i++)
        {
            keys[i] = new SessionKey(AppKey.Public, new SessionHandle(Guid.CreateVersion7(), TenantKey.PublicId));
            await store.InsertAsync(
                new SessionRecord
                {
                    Key = keys[i],
                    UserId = new Guid(i / 5, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]).ToString("D"),
                    Chain = new(Hash("first")),
                    PayloadJson = """{"roles":["editor","reader"],"plan":"professional"}""",
                    DataJson = "{}",
                    UseDynamicKey = true,
                    CreatedAt = now,
                    ExpiresAt = now.AddDays(100),
                },
                CancellationToken.None);
        }

        figures.Add(await WeighAsync("session, after an update", count / 2, grains, (i, all) => all.SessionOf(keys[i]).UpdateAsync(null, "{ }", CancellationToken.None)));
        figures.Add(await WeighAsync("session, after a refresh", count - (count / 2), grains, (i, all) => RefreshAsync(all.SessionOf(keys[i + (count / 2)]))));
        figures.Add(await WeighAsync("user, after a list", count / 5, grains, (i, all) => all.GetGrain<IUserGrain>(
            new UserKey(new TenantKey(AppKey.Public, TenantKey.PublicId), new Guid(i, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]).ToString("D")).ToString()).ListAsync(false, CancellationToken.None)));
        return figures;
    }

    private static async Task<MemoryFigure> WeighAsync(string name, int count, IGrainFactory grains, Func<int, IGrainFactory, Task> call)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < count; i++)
        {
            await call(i, grains);
        }

        return new MemoryFigure(name, count, (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)count);
    }

    private static ISessionGrain SessionOf(this IGrainFactory grains, SessionKey key) => grains.GetGrain<ISessionGrain>(key.ToString());

    private static Task RefreshAsync(ISessionGrain session) => session.RefreshAsync(
        new RefreshRequest
        {
            Presented = Hash("first"),
            PresentedParent = null,
            CandidateToken = RandomNumberGenerator.GetHexString(240),
            CandidateAntiCsrf = Guid.NewGuid().ToString("D"),
            OlderRules = false,
            UseDynamicKey = null,
            RefreshTokenValidity = TimeSpan.FromDays(100),
            Grace = TimeSpan.FromSeconds(30),
            JoinWithin = TimeSpan.FromSeconds(2),
        },
        CancellationToken.None);

    private static TokenHash Hash(string token) => TokenHash.Of(token).HashOfHex();

    private static string Key(int number) => string.Create(CultureInfo.InvariantCulture, $"public/00000000-0000-0000-0000-{number:D12}");
}
