using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Abstractions.Telemetry;
using Grid.Abstractions.Watches;
using Grid.Grains.Apps;
using Grid.Grains.Clocks;
using Grid.Grains.Holders;
using Grid.Grains.Outages;
using Grid.Grains.Purge;
using Grid.Grains.Sessions;
using Grid.Grains.SigningKeys;
using Grid.Grains.Silos;
using Grid.Grains.Watches;
using Grid.Revocation;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Storage;

namespace Grid.Grains;

/// <summary>Registers the grains and this silo's views of them.</summary>
public static class GridGrains
{
    /// <summary>
    /// Adds everything but what the host decides: the session store (<see cref="ISessionStore"/>), the installation's record
    /// (<c>IInstallationStore</c>, with a row), its clock (<c>IStoreClock</c>), the grain storage named <see cref="GrainStores.State"/>, reminders, the key protector and
    /// the installation's <see cref="AppDefaults"/>; also <c>IOptions</c> of <see cref="PurgeOptions"/> and <see cref="RevocationOptions"/> with other values than the defaults.
    /// </summary>
    public static ISiloBuilder AddGridGrains(this ISiloBuilder silo)
    {
        ArgumentNullException.ThrowIfNull(silo);
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<GridMetrics>();
        services.TryAddSingleton<HolderMetrics>();
        services.AddOptions<PurgeOptions>();

        // Members are known by [Id] in the stored bytes, so a rename is safe and a newer row can be read (docs/decisions).
        services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();

        // In a test, time that passes is what the test says.
        services.TryAddSingleton(provider => provider.GetRequiredService<TimeProvider>() is var wall && wall == TimeProvider.System
            ? new ClockTrust(wall, LeaseClock.Instance)
            : new ClockTrust(wall, wall));
        services.TryAddSingleton<TrustedClock>();
        services.AddSingleton<ClockWatch>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<ClockWatch>());
        services.AddHostedService(provider => provider.GetRequiredService<ClockWatch>());
        services.TryAddSingleton<InstallationDefaults>();
        services.TryAddSingleton<StoreOutages>();
        services.TryAddSingleton<ActiveSessionGrains>();
        services.AddSingleton<IPostConfigureOptions<GrainCollectionOptions>, IdleGrains>();
        services.TryAddSingleton<SiloBroadcast>();
        services.TryAddSingleton<SiloReach>();
        services.AddOptions<RevocationOptions>();
        services.TryAddSingleton(provider => new Holder(LeaseClock.Instance, Revocation(provider).RememberedSessions));
        services.TryAddSingleton(provider => new LeaseTerms(Revocation(provider).Lease));
        services.TryAddSingleton<HolderRelay>(provider => new HolderRelay(
            provider.GetRequiredService<IHolderStore>(), provider.GetRequiredService<IServiceStore>(), provider.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString,
            new RelayLimits(Revocation(provider).MaxServices, Revocation(provider).MaxServicesPerApp)));
        services.TryAddSingleton<ISessionLook, StoreLook>();
        services.TryAddSingleton(provider => new SessionChecks(
            provider.GetRequiredService<Holder>(), provider.GetRequiredService<ISessionLook>(), LeaseClock.Instance));
        services.TryAddSingleton<SiloTransport>();
        services.TryAddSingleton(provider => new Revoker(
            provider.GetRequiredService<IHolderRegistry>(), provider.GetRequiredService<SiloTransport>(), provider.GetRequiredService<LeaseTerms>(),
            row => row.Kind != HolderKind.Service || Revocation(provider).WaitForServices, LeaseClock.Instance));
        services.TryAddSingleton<WatchLimits>();
        services.TryAddSingleton(provider => new Notices(
            provider.GetRequiredService<WatchLimits>(), provider.GetRequiredService<TimeProvider>(), LeaseClock.Instance));
        services.TryAddSingleton<ISiloLinks, SiloLinks>();
        services.TryAddSingleton(provider => new UserWatches(
            provider.GetRequiredService<ISiloLinks>(), provider.GetRequiredService<ISessionStore>(), provider.GetRequiredService<TrustedClock>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<WatchLimits>(), LeaseClock.Instance, provider.GetRequiredService<ILogger<UserWatches>>()));
        services.TryAddSingleton<IUserWatches>(provider => provider.GetRequiredService<UserWatches>());
        services.AddGrainService<NoticeSource>();
        services.AddHostedService<SiloHolder>();
        services.TryAddSingleton<ChangeNotices>();
        services.TryAddSingleton<ISessionChanges>(provider => provider.GetRequiredService<ChangeNotices>());
        services.AddHostedService(provider => provider.GetRequiredService<ChangeNotices>());
        services.TryAddSingleton<ISessionRevoker, SessionRevoker>();
        services.TryAddSingleton<AppDirectory>();
        services.TryAddSingleton<IAppDirectory>(provider => provider.GetRequiredService<AppDirectory>());
        services.TryAddSingleton<InstallationKey>();
        services.TryAddSingleton<UnreadableKeys>();
        services.TryAddSingleton<Tenancy>();
        services.TryAddSingleton<ITenancy>(provider => provider.GetRequiredService<Tenancy>());
        services.TryAddSingleton<KeyRings>();
        services.TryAddSingleton<IKeyRings>(provider => provider.GetRequiredService<KeyRings>());
        services.AddGrainService<SiloListener>();
        silo.AddStartupTask((provider, _) => provider.GetRequiredService<IGrainFactory>().GetGrain<IPurgeGrain>(0).StartAsync());
        return silo;
    }

    private static RevocationOptions Revocation(IServiceProvider provider) => provider.GetRequiredService<IOptions<RevocationOptions>>().Value;
}
