using System.Globalization;
using System.Net;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.GrainDoors.Certificates;
using Grid.Grains.Holders;
using Grid.Grains.Purge;
using Grid.Hosting.Serving;
using Grid.Storage;
using Grid.Storage.Importing;
using Grid.WebFront.Upstream;

namespace Grid.Hosting.Settings;

/// <summary>All settings, read and checked once before anything starts.</summary>
internal sealed class GridSettings
{
    private GridSettings(IConfigurationRoot configuration)
    {
        SettingsBinder.RefuseEmptySecrets(configuration);
        Core = SettingsBinder.Bind<CoreApiOptions>(configuration, CoreApiOptions.Section);
        Front = SettingsBinder.Bind<FrontOptions>(configuration, FrontOptions.Section);
        Cluster = SettingsBinder.Bind<ClusterOptions>(configuration, ClusterOptions.Section);
        Log = SettingsBinder.Bind<LogOptions>(configuration, LogOptions.Section);
        Telemetry = SettingsBinder.Bind<TelemetryOptions>(configuration, TelemetryOptions.Section);
        Shutdown = SettingsBinder.Bind<ShutdownOptions>(configuration, ShutdownOptions.Section);
        Overload = SettingsBinder.Bind<OverloadOptions>(configuration, OverloadOptions.Section);
        Import = SettingsBinder.Bind<ImportOptions>(configuration, ImportOptions.Section);
        ReadThrough = Import.Read();
        Upstream = SettingsBinder.Bind<UpstreamOptions>(configuration, UpstreamOptions.Section).Read();
        Keys = SettingsBinder.Bind<KeyOptions>(configuration, KeyOptions.Section);
        Purge = SettingsBinder.Bind<PurgeOptions>(configuration, PurgeOptions.Section);
        Revocation = SettingsBinder.Bind<RevocationOptions>(configuration, RevocationOptions.Section);
        var store = SettingsBinder.Bind<StoreSettings>(configuration, StoreSettings.Section);
        MigrateAtStart = store.MigrateAtStart;
        Store = StoreReading.Read(store, SettingsBinder.FindNamedConnection(configuration));
        Address = CoreAddress(Core);
        FrontAddress = ReadAddress(Front.Address, "Grid:Front:Address");
        ClusterAddress = string.IsNullOrEmpty(Cluster.Address) ? null : Settings.ClusterAddress.Read(Cluster.Address);
        Certificates = ReadCertificates();
        if (Certificates is not null && Store.Engine != StoreEngine.PostgreSql)
        {
            throw new SettingsException("Grid:Cluster:CertificateFile has no effect over SQLite: a silo over a file is alone, and opens no port that certificates would protect. Remove the certificate settings, or set Grid:Store:ConnectionString.");
        }

        Front.Check();
        if (Front.Enabled && Core.Port != 0 && Core.Port == Front.Port && (Address.Equals(FrontAddress) || IsAny(Address) || IsAny(FrontAddress)))
        {
            throw new SettingsException($"Grid:Core:Port and Grid:Front:Port are both {Core.Port}: core API and front have a port each. Change one of them.");
        }

        ApiKeyFiles = Settings.ApiKeyFiles.Of(configuration);
        Defaults = SettingsBinder.BindDefaults(configuration);
        if (!IPAddress.IsLoopback(Address) && Defaults.ApiKeyHashes.IsEmpty && !Core.AllowInsecureAddress)
        {
            throw new SettingsException(
                $"The core API would listen on {Address} without an API key, open to everybody who reaches it. Set Grid:Core:ApiKeys (or API_KEYS) to a key of at least 20 characters, or Grid:Core:Address to 127.0.0.1; Grid:Core:AllowInsecureAddress=true allows it anyway.");
        }

        if (Telemetry.Dashboard && Defaults.ApiKeyHashes.IsEmpty)
        {
            throw new SettingsException(
                "Orleans' dashboard names users and sessions, and would be open to every program and page on this machine. Set Grid:Core:ApiKeys (or API_KEYS) to a key of at least 20 characters, or Grid:Telemetry:Dashboard to false.");
        }

        if (ClusterAddress is not null)
        {
            CheckClusterAddress(ClusterAddress, isFound: false);
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

    /// <summary>Null if it is not set: found at the start.</summary>
    public IPAddress? ClusterAddress { get; }

    /// <summary>Null without TLS.</summary>
    public CertificateFiles? Certificates { get; }

    public LogOptions Log { get; }

    public TelemetryOptions Telemetry { get; }

    public ShutdownOptions Shutdown { get; }

    public OverloadOptions Overload { get; }

    /// <summary>The core that serves what Grid does not; null if there is none.</summary>
    public ImportOptions Import { get; }

    /// <summary>Where sessions are looked up that Grid does not know; null = nowhere.</summary>
    public SuperTokensSource? ReadThrough { get; }

    public UpstreamSettings? Upstream { get; }

    public KeyOptions Keys { get; }

    public PurgeOptions Purge { get; }

    public RevocationOptions Revocation { get; }

    public bool MigrateAtStart { get; }

    public StoreOptions Store { get; }

    public IPAddress Address { get; }

    /// <summary>As they are at the start.</summary>
    public AppDefaults Defaults { get; }

    /// <summary>Null if the installation's API keys came from no file.</summary>
    public ApiKeyFiles? ApiKeyFiles { get; }

    /// <exception cref="SettingsException">A value is missing or wrong.</exception>
    public static GridSettings Read(IConfigurationRoot configuration) => new(configuration);

    /// <summary>Where the core API listens.</summary>
    /// <exception cref="SettingsException">It is no address.</exception>
    public static IPAddress CoreAddress(CoreApiOptions core) => ReadAddress(core.Address, SettingTable.Find("Grid:Core:Address")!.AllNames);

    /// <summary>Whether silo port and gateway may be opened there.</summary>
    /// <param name="address">Set or found.</param>
    /// <param name="isFound">Nobody has set it.</param>
    /// <exception cref="SettingsException">Others than this machine reach it, and there is no TLS, or no API key at the gateway.</exception>
    public void CheckClusterAddress(IPAddress address, bool isFound)
    {
        if (Store.Engine != StoreEngine.PostgreSql || IPAddress.IsLoopback(address))
        {
            return;
        }

        if (Certificates is null && !Cluster.AllowUnencrypted)
        {
            throw new SettingsException(
                $"The silo port would be open on {address}{(isFound ? ", by which the database is reached," : "")} without TLS, and whoever reaches it would be believed to be a silo. Set Grid:Cluster:CertificateFile, :CertificateKeyFile and :CertificateAuthorityFile, or Grid:Cluster:Address to 127.0.0.1 if all silos are on this machine; Grid:Cluster:AllowUnencrypted=true allows it anyway.");
        }

        if (Cluster.GatewayPort != 0 && Defaults.ApiKeyHashes.IsEmpty && !Core.AllowInsecureAddress)
        {
            throw new SettingsException(
                $"The gateway would be open on {address} without an API key, to everybody who reaches it. Set Grid:Core:ApiKeys (or API_KEYS) to a key of at least 20 characters, or Grid:Cluster:GatewayPort to 0; Grid:Core:AllowInsecureAddress=true allows it anyway.");
        }
    }

    /// <summary>What a setting without a default of its own comes to with these; null if only more than settings can tell.</summary>
    public string? Derived(string key) => key switch
    {
        "Grid:Front:ApiDomain" or "Grid:Front:WebsiteDomains" => Front.EffectiveApiDomain,
        "Grid:Front:CookieSecure" => SettingText.Write(Front.EffectiveApiDomain.StartsWith("https:", StringComparison.OrdinalIgnoreCase)),
        "Grid:Front:FirstPage" => SettingText.Write(Front.ShowsFirstPage(Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Production", FrontAddress)),
        "Grid:Keys:EncryptionKeyFile" when Store.SqlitePath is { } path && string.IsNullOrEmpty(Keys.EncryptionKey) => path + ".key",
        "Grid:Core:MaxConnections" => Connections()?.Core.ToString(CultureInfo.InvariantCulture),
        "Grid:Front:MaxConnections" => Connections()?.Front.ToString(CultureInfo.InvariantCulture),
        "Grid:Front:MaxConnectionsPerAddress" => Connections()?.FrontPerAddress.ToString(CultureInfo.InvariantCulture),
        "Grid:Overload:MaxRequests" => Overload.Limits.MaxRequests.ToString(CultureInfo.InvariantCulture),
        "Grid:Core:MaxCdiVersion" => CdiVersions.Supported[^1],
        "Grid:Core:MinCdiVersion" => CdiVersions.Supported[0],
        _ => null,
    };

    private ConnectionBudget? Connections()
    {
        try
        {
            return ConnectionBudget.Of(this, ConnectionBudget.ReadLimit());
        }
        catch (SettingsException)
        {
            // A start says so; here the other values are of use.
            return null;
        }
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private CertificateFiles? ReadCertificates()
    {
        try
        {
            return CertificateFiles.Of(Cluster.CertificateFile, Cluster.CertificateKeyFile, Cluster.CertificateAuthorityFile, Cluster.CertificateName, ClusterOptions.Section + ":");
        }
        catch (UnusableCertificateException missing)
        {
            throw new SettingsException(missing.Message);
        }
    }

    private static IPAddress ReadAddress(string text, string key) =>
        text.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : text is "*" or "+" ? IPAddress.Any
        : IPAddress.TryParse(text, out var address) ? address
        : throw new SettingsException($"{key} must be an IP address, 'localhost' or '*'; '{text}' is none of them.");
}
