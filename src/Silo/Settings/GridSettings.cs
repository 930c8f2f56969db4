using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Net;
using Grid.Abstractions.Apps;
using Grid.Grains.Holders;
using Grid.Grains.Purge;
using Grid.Silo.Hosting;
using Grid.Storage;
using Grid.Tokens;
using Npgsql;

namespace Grid.Silo.Settings;

/// <summary>All settings, read and checked once before anything starts.</summary>
internal sealed class GridSettings
{
    /// <summary>Every options class with its section; what is not in them is a spelling mistake.</summary>
    public static IReadOnlyDictionary<string, Type> Sections { get; } = new Dictionary<string, Type>
    {
        [CoreApiOptions.Section] = typeof(CoreApiOptions),
        [FrontOptions.Section] = typeof(FrontOptions),
        [StoreSettings.Section] = typeof(StoreSettings),
        [KeyOptions.Section] = typeof(KeyOptions),
        [SessionLifetimeOptions.Section] = typeof(SessionLifetimeOptions),
        [ClusterOptions.Section] = typeof(ClusterOptions),
        [LogOptions.Section] = typeof(LogOptions),
        [PurgeOptions.Section] = typeof(PurgeOptions),
        [RevocationOptions.Section] = typeof(RevocationOptions),
    };

    private static readonly string[] NoPath = ["file:", "sqlite:", "Data Source=", "DataSource=", "Filename="];

    private GridSettings(IConfiguration configuration, IReadOnlyDictionary<string, string?> environment)
    {
        Core = Bind<CoreApiOptions>(configuration, CoreApiOptions.Section);
        Front = Bind<FrontOptions>(configuration, FrontOptions.Section);
        Cluster = Bind<ClusterOptions>(configuration, ClusterOptions.Section);
        Log = Bind<LogOptions>(configuration, LogOptions.Section);
        Keys = Bind<KeyOptions>(configuration, KeyOptions.Section);
        _ = Bind<PurgeOptions>(configuration, PurgeOptions.Section);
        _ = Bind<RevocationOptions>(configuration, RevocationOptions.Section);
        StoreSettings = Bind<StoreSettings>(configuration, StoreSettings.Section);
        Store = ReadStore(StoreSettings, configuration.GetConnectionString("Grid"));
        Address = ReadAddress(Core.Address, "Grid:Core:Address (or SUPERTOKENS_HOST)");
        FrontAddress = ReadAddress(Front.Address, "Grid:Front:Address");
        FrontHosting.Check(Front);
        Defaults = ReadDefaults(configuration, environment, Core);
        if (!IPAddress.IsLoopback(Address) && Defaults.ApiKeyHashes.IsEmpty && !Core.AllowInsecureAddress)
        {
            throw new SettingsException(
                $"The core API would listen on {Address} without an API key, open to everybody who reaches it. Set Grid:Core:ApiKeys (or API_KEYS) to a key of at least 20 characters, or Grid:Core:Address to 127.0.0.1; Grid:Core:AllowInsecureAddress=true serves it without a key all the same.");
        }

        if (Store.Engine == StoreEngine.PostgreSql && string.IsNullOrEmpty(Keys.EncryptionKey) && string.IsNullOrEmpty(Keys.EncryptionKeyFile))
        {
            throw new SettingsException(
                "On PostgreSQL the silos need one key that encrypts signing keys in the database. Make it with 'openssl rand -base64 32', keep it in a file or secret that every silo can read, and set Grid:Keys:EncryptionKeyFile (or Grid:Keys:EncryptionKey).");
        }
    }

    public CoreApiOptions Core { get; }

    public FrontOptions Front { get; }

    public IPAddress FrontAddress { get; }

    public ClusterOptions Cluster { get; }

    public LogOptions Log { get; }

    public KeyOptions Keys { get; }

    public StoreSettings StoreSettings { get; }

    public StoreOptions Store { get; }

    public IPAddress Address { get; }

    public AppDefaults Defaults { get; }

    /// <exception cref="SettingsException">A value is missing or wrong.</exception>
    public static GridSettings Read(IConfiguration configuration, IReadOnlyDictionary<string, string?> environment) => new(configuration, environment);

    /// <summary>Keys below <c>Grid</c> that nothing reads, each with the nearest one that exists.</summary>
    public static IEnumerable<(string Key, string Nearest)> UnknownKeys(IConfiguration configuration)
    {
        var known = KnownKeys().ToList();
        foreach (var (key, value) in configuration.GetSection("Grid").AsEnumerable())
        {
            if (value is not null && !known.Contains(key, StringComparer.OrdinalIgnoreCase) && !key.EndsWith("_FILE", StringComparison.Ordinal))
            {
                yield return (key, known.MinBy(k => EditDistance(k.ToUpperInvariant(), key.ToUpperInvariant()))!);
            }
        }
    }

    /// <summary>Every key that means something.</summary>
    public static IEnumerable<string> KnownKeys() =>
        Sections.SelectMany(section => section.Value.GetProperties().Where(p => p.CanWrite).Select(property => $"{section.Key}:{property.Name}"));

    private static T Bind<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        T options;
        try
        {
            options = configuration.GetSection(section).Get<T>() ?? new T();
        }
        catch (InvalidOperationException failure)
        {
            // The binder's message names the key and the type; its cause says what is wrong with the value.
            throw new SettingsException($"{failure.Message} {failure.InnerException?.Message}".TrimEnd());
        }

        List<ValidationResult> errors = [];
        if (!Validator.TryValidateObject(options, new ValidationContext(options), errors, validateAllProperties: true))
        {
            throw new SettingsException(string.Join(' ', errors.Select(e => e.ErrorMessage!.Contains("Grid:", StringComparison.Ordinal) ? e.ErrorMessage : $"{section}: {e.ErrorMessage}")));
        }

        return options;
    }

    private static StoreOptions ReadStore(StoreSettings settings, string? namedConnection)
    {
        var connection = settings.ConnectionString ?? namedConnection;
        if (string.IsNullOrEmpty(connection))
        {
            return new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.GetFullPath(ReadPath(settings.SqlitePath)) };
        }

        connection = ConnectionUri.ToConnectionString(connection);
        try
        {
            _ = new NpgsqlConnectionStringBuilder(connection);
        }
        catch (ArgumentException failure)
        {
            throw new SettingsException($"Grid:Store:ConnectionString is not a valid PostgreSQL connection string ({failure.GetType().Name}); it looks like Host=db;Username=grid;Password=…;Database=grid.");
        }

        return new StoreOptions
        {
            Engine = StoreEngine.PostgreSql,
            ConnectionString = connection,
            AllowUnsafeDurability = settings.AllowUnsafeDurability,
            MaxConnections = settings.MaxConnections,
        };
    }

    // What other programs give a meaning would become a file of that name here.
    private static string ReadPath(string path) => path switch
    {
        [':', ..] => throw new SettingsException($"Grid:Store:SqlitePath '{path}' is no file: Grid keeps sessions on disk. For an installation that may forget, name a file in a temporary folder."),
        ['~', ..] => throw new SettingsException($"Grid:Store:SqlitePath '{path}' begins with '~', which only a shell understands. Write the folder's full path."),
        _ when NoPath.Any(start => path.StartsWith(start, StringComparison.OrdinalIgnoreCase)) =>
            throw new SettingsException("Grid:Store:SqlitePath must be a path such as data/grid.db, neither a URI nor a connection string; for PostgreSQL set Grid:Store:ConnectionString."),
        [.., '/'] => throw new SettingsException($"Grid:Store:SqlitePath '{path}' is a folder. Name a file in it, for example {path}grid.db."),
        _ => path,
    };

    private static IPAddress ReadAddress(string text, string key) =>
        text.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : text is "*" or "+" ? IPAddress.Any
        : IPAddress.TryParse(text, out var address) ? address
        : throw new SettingsException($"{key} must be an IP address, 'localhost' or '*'; '{text}' is none of them.");

    private static AppDefaults ReadDefaults(IConfiguration configuration, IReadOnlyDictionary<string, string?> environment, CoreApiOptions core)
    {
        var (patch, error) = CoreConfig.FromEnvironment(environment.Where(v => v.Key != "API_KEYS"));
        if (error is not null)
        {
            throw new SettingsException(error);
        }

        var fromEnvironment = CoreConfig.Apply(null, patch!, new AppDefaults());
        if (fromEnvironment.Error is not null)
        {
            throw new SettingsException($"Environment: {fromEnvironment.Error}.");
        }

        var own = Bind<SessionLifetimeOptions>(configuration, SessionLifetimeOptions.Section);
        var settings = fromEnvironment.Settings;
        settings = settings with
        {
            AccessTokenValidity = own.AccessTokenValidity ?? settings.AccessTokenValidity,
            RefreshTokenValidity = own.RefreshTokenValidity ?? settings.RefreshTokenValidity,
            DynamicKeyUpdateInterval = own.DynamicKeyUpdateInterval ?? settings.DynamicKeyUpdateInterval,
            AccessTokenValidityJitter = own.AccessTokenValidityJitter ?? settings.AccessTokenValidityJitter,
            RefreshRotationGrace = own.RefreshRotationGrace ?? settings.RefreshRotationGrace,
            RecentReuseAnswer = own.RecentReuseAnswer ?? settings.RecentReuseAnswer,
            StaleBehaviour = own.StaleBehaviour ?? settings.StaleBehaviour,
        };
        Require(settings.AccessTokenValidity >= TimeSpan.FromSeconds(1), "Grid:Session:AccessTokenValidity must be at least 00:00:01.");
        Require(settings.RefreshTokenValidity > settings.AccessTokenValidity, "Grid:Session:RefreshTokenValidity must be longer than Grid:Session:AccessTokenValidity.");
        Require(settings.RefreshTokenValidity <= TimeSpan.FromDays(36600), "Grid:Session:RefreshTokenValidity must be at most 36600 days.");
        Require(settings.DynamicKeyUpdateInterval >= TimeSpan.FromHours(1), "Grid:Session:DynamicKeyUpdateInterval must be at least 01:00:00.");
        Require(settings.AccessTokenValidityJitter is >= 0 and <= 0.25, "Grid:Session:AccessTokenValidityJitter must lie between 0 and 0.25.");
        Require(settings.RefreshRotationGrace >= TimeSpan.Zero && settings.RefreshRotationGrace <= TimeSpan.FromMinutes(5), "Grid:Session:RefreshRotationGrace must lie between 00:00:00 and 00:05:00.");
        // Empty is unset, as in the environment of containers; anything else has to be keys.
        ImmutableArray<TokenHash> keys = [];
        if (!string.IsNullOrEmpty(core.ApiKeys) && !ApiKeys.TryParse(core.ApiKeys, out keys, out var keyError))
        {
            throw new SettingsException($"Grid:Core:ApiKeys (or API_KEYS): {keyError}.");
        }

        return new AppDefaults
        {
            Settings = settings,
            ApiKeyHashes = keys,
            IpAllowRegex = fromEnvironment.IpAllowRegex,
            IpDenyRegex = fromEnvironment.IpDenyRegex,
        };
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new SettingsException(message);
        }
    }

    private static int EditDistance(string left, string right)
    {
        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var current = new int[right.Length + 1];
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
            }

            previous = current;
        }

        return previous[right.Length];
    }
}
