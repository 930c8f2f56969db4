using System.Security.Cryptography;
using Grid.Abstractions.Importing;
using Grid.Abstractions.SigningKeys;
using Grid.Hosting.Importing;
using Grid.Storage;
using Grid.Storage.Importing;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Silo.Tests;

/// <summary>Keys of another core, from its database to where an app takes them in.</summary>
public sealed class ImportedKeysTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 0, 0, 0, TimeSpan.Zero);
    private static readonly ImportedKeyTerms Terms = new(Now, TimeSpan.FromHours(1), TimeSpan.FromDays(100), DateTimeOffset.MaxValue);

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-imported-keys-").FullName;
    private readonly ServiceProvider _services;
    private readonly IImportStore _imports;

    public ImportedKeysTests()
    {
        var options = new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(_folder, "grid.db") };
        StoreMigrator.For(options).Apply();
        _services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddGridStorage(options).BuildServiceProvider();
        _imports = _services.GetRequiredService<IImportStore>();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_waits_under_a_key_that_the_installation_has_left_is_laid_ready_anew_and_what_was_taken_in_is_not()
    {
        SuperTokensKey[] keys = [new("public", SuperTokensKeyKind.Refresh, "r-1", 1, "1000:aa:bb"), new("public", SuperTokensKeyKind.Refresh, "r-2", 2, "1000:cc:dd")];
        var (former, next) = (NewProtector(), NewProtector());
        Assert.Equal(2, await StageAsync(former));
        Assert.Equal(0, await StageAsync(former));
        await _imports.SettleKeysAsync("public", ["r-2"], Stop);

        Assert.Equal(1, await StageAsync(next));
        var waiting = Assert.Single(await _imports.ReadStagedKeysAsync("public", Stop));
        Assert.Equal("1000:aa:bb"u8, next.Open("public", "r-1", (int)KeyKind.ImportedRefresh, waiting.Secret));
        Assert.Equal(0, await StageAsync(next));

        async Task<int> StageAsync(KeyProtector sealer) => await ImportedKeys.StageAsync(_imports, await ImportedKeys.PrepareAsync(_imports, "public", keys, sealer, Terms, Stop), Stop);
    }

    [Fact]
    public void The_key_of_refresh_tokens_of_a_session_that_never_expires_has_no_end_beyond_time()
    {
        var key = new SuperTokensKey("public", SuperTokensKeyKind.Refresh, "r-1", 1, "1000:aa:bb");
        Assert.Equal(DateTimeOffset.MaxValue, Assert.Single(ImportedKeys.Seal("public", [key], new HashSet<string>(), NewProtector(), Terms)).VerifiesUntil);
    }

    private static KeyProtector NewProtector() => new(RandomNumberGenerator.GetBytes(KeyProtector.KeySize));
}
