using Grid.Abstractions.Installation;
using Grid.Silo.Health;
using Grid.Silo.Hosting;
using Grid.Silo.Installation;
using Grid.Silo.Settings;
using Grid.Storage;
using Grid.Tokens.SigningKeys;
using Grid.WebFront.Core;
using Grid.WebFront.Doors;
using Grid.WebFront.Front;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Grid.Silo.Commands;

/// <summary><c>grid serve</c>.</summary>
internal static partial class Serve
{
    public static async Task<int> RunAsync(string[] overrides, CancellationToken stop)
    {
        var configuration = Configuration.Build(overrides);
        var settings = GridSettings.Read(configuration);
        var connections = ConnectionBudget.Of(settings, ConnectionBudget.ReadLimit());
        using var ports = HeldPorts.Take(settings);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.AddGridLogging(settings.Log);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(settings.Defaults);
        builder.Services.AddSingleton(Options.Create(settings.Purge));
        builder.Services.AddSingleton(Options.Create(settings.Revocation));

        // Which key may be used is known when the store has been asked.
        KeyProtector? protector = null;
        builder.Services.AddSingleton(_ => protector ?? throw new InvalidOperationException("The store has not been checked yet."));
        builder.Services.AddGridStorage(settings.Store);
        builder.Services.AddGridCore();
        if (settings.Front.Enabled)
        {
            builder.Services.AddGridFront(settings.Front.ToSettings(settings.FrontAddress, builder.Environment.EnvironmentName, connections.Front));
        }

        builder.Services.AddGridHealth();
        builder.AddGridSilo(settings, ports);
        builder.Services.AddHostedService<AnnounceKeys>();
        builder.AddGridDrain(settings.Shutdown);
        builder.WebHost.AddGridKestrel(connections, ports);
        builder.Host.UseSystemd();
        await using var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Grid");

        foreach (var (key, nearest) in UnknownSettings.Find(configuration))
        {
            Log.UnknownKey(logger, key, nearest);
        }

        foreach (var note in Configuration.Notes(configuration))
        {
            Log.VariableWithoutEffect(logger, note);
        }

        await PrepareStoreAsync(app.Services, settings, logger);
        (protector, var keyOrigin, var isChanging) = await InstallationCheck.RunAsync(app.Services.GetRequiredService<IInstallationStore>(), settings);
        Log.Keys(logger, keyOrigin, protector.KeyId);
        if (isChanging)
        {
            Log.KeyIsChanging(logger);
        }

        foreach (var warning in EncryptionKeyFile.OpenToOthers(settings))
        {
            Log.KeyIsOpen(logger, warning);
        }

        if (connections.Descriptors is < ConnectionBudget.Comfortable and { } few)
        {
            Log.FewDescriptors(logger, few, connections.Core, connections.Front);
        }

        app.UseGridDrain();
        app.UseGridFraming();
        app.UseGridHealth();
        if (settings.Front.Enabled)
        {
            app.MapWhen(KestrelHosting.IsFront, front => front.UseGridFront());
        }

        app.UseBasePath(settings.Core.BasePath);
        app.UseGridCore();
        await app.StartAsync(stop);
        string[] urls = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        Log.Listening(logger, urls[0]);
        if (settings.Front.Enabled)
        {
            Log.FrontListening(logger, urls[1]);
        }

        Log.Ready(logger, settings.Defaults.ApiKeyHashes.Length);
        await app.WaitForShutdownAsync(stop);
        return 0;
    }

    private static async Task PrepareStoreAsync(IServiceProvider services, GridSettings settings, ILogger logger)
    {
        var startup = services.GetRequiredService<IStoreStartup>();
        startup.TakeOwnership();
        var migrator = StoreMigrator.For(settings.Store);
        var schema = migrator.Status();
        if (schema.State == SchemaState.Behind)
        {
            if (!settings.MigrateAtStart)
            {
                throw new StoreStartException($"The database is at schema {schema.Applied ?? "(empty)"}, this version needs {schema.Known}. Run 'grid migrate', or set Grid:Store:MigrateAtStart to true.");
            }

            schema = migrator.Apply();
        }

        if (schema.State == SchemaState.Newer)
        {
            throw StoreMigrator.Newer(schema);
        }

        var facts = await startup.CheckAsync(CancellationToken.None);
        Log.Store(logger, facts.Engine, facts.Place, schema.Applied!);
        foreach (var warning in facts.Warnings)
        {
            Log.UnsafeStore(logger, warning);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1000, LogLevel.Information, "Core API listens on {Url}")]
        public static partial void Listening(ILogger logger, string url);

        [LoggerMessage(1006, LogLevel.Information, "Front for browsers listens on {Url}")]
        public static partial void FrontListening(ILogger logger, string url);

        [LoggerMessage(1001, LogLevel.Information, "Store: {Engine} at {Place}, schema {Schema}")]
        public static partial void Store(ILogger logger, string engine, string place, string schema);

        [LoggerMessage(1002, LogLevel.Information, "Key-encryption key from {Origin}, id {KeyId}")]
        public static partial void Keys(ILogger logger, string origin, string keyId);

        [LoggerMessage(1008, LogLevel.Information, "The installation still uses the previous key-encryption key; run 'grid keys rotate-encryption-key' when every silo holds both")]
        public static partial void KeyIsChanging(ILogger logger);

        [LoggerMessage(1003, LogLevel.Information, "Ready. API keys configured: {Count}")]
        public static partial void Ready(ILogger logger, int count);

        [LoggerMessage(1023, LogLevel.Warning, "This process may open only {Descriptors} files and sockets: the core API accepts {Core} connections at once, the front {Front}. Raise 'ulimit -n' (LimitNOFILE=, '--ulimit nofile=') for more")]
        public static partial void FewDescriptors(ILogger logger, long descriptors, int core, int front);

        [LoggerMessage(1004, LogLevel.Warning, "Unknown setting {Key} has no effect; did you mean {Nearest}?")]
        public static partial void UnknownKey(ILogger logger, string key, string nearest);

        [LoggerMessage(1010, LogLevel.Warning, "{Note}")]
        public static partial void VariableWithoutEffect(ILogger logger, string note);

        [LoggerMessage(1011, LogLevel.Warning, "{Warning}")]
        public static partial void KeyIsOpen(ILogger logger, string warning);

        [LoggerMessage(1005, LogLevel.Warning, "UNSAFE STORE, allowed by Grid:Store:AllowUnsafeDurability: {Warning}")]
        public static partial void UnsafeStore(ILogger logger, string warning);
    }
}
