using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Telemetry;
using Grid.Revocation.Registry;
using Grid.Storage.PostgreSql;
using Grid.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.Storage;

/// <summary>Registers the session store.</summary>
public static class GridStorage
{
    /// <summary>Adds <see cref="ISessionStore"/>, <see cref="ISessionReader"/>, <see cref="ISessionOrders"/>, <see cref="IHolderStore"/>, <see cref="IHolderRegistry"/>, <see cref="IInstallationStore"/>, <see cref="IImportStore"/>, <see cref="IStoreClock"/>, <see cref="IStoreStartup"/>, <see cref="IStoreGuard"/> and <see cref="IStoreCondition"/> for the chosen engine; for one that many silos share <see cref="ISiloPresence"/>, too.</summary>
    public static IServiceCollection AddGridStorage(this IServiceCollection services, StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<GridMetrics>();
        services.AddSingleton(options);
        services.AddSingleton<StoreCondition>();
        services.AddSingleton<IStoreCondition>(provider => provider.GetRequiredService<StoreCondition>());
        if (options.Engine == StoreEngine.PostgreSql)
        {
            services.AddSingleton<PostgreSqlDatabase>();
            services.AddSingleton<IStoreStartup>(provider => provider.GetRequiredService<PostgreSqlDatabase>());
            services.AddSingleton<IStoreGuard>(provider => provider.GetRequiredService<PostgreSqlDatabase>());
            services.AddSingleton<ISessionStore, PostgreSqlSessionStore>();
            services.AddSingleton<PostgreSqlHolderStore>();
            services.AddSingleton<IHolderStore>(provider => provider.GetRequiredService<PostgreSqlHolderStore>());
            services.AddSingleton<IHolderRegistry>(provider => provider.GetRequiredService<PostgreSqlHolderStore>());
            services.AddSingleton<PostgreSqlInstallationStore>();
            services.AddSingleton<IInstallationStore>(provider => provider.GetRequiredService<PostgreSqlInstallationStore>());
            services.AddSingleton<IStoreClock>(provider => provider.GetRequiredService<PostgreSqlInstallationStore>());
            services.AddSingleton<IServiceStore>(provider => provider.GetRequiredService<PostgreSqlHolderStore>());
            services.AddSingleton<IImportStore, PostgreSqlImportStore>();
            services.AddSingleton<ISiloPresence, PostgreSqlPresence>();
        }
        else
        {
            services.AddSingleton<SqliteDatabase>();
            services.AddSingleton<IStoreStartup>(provider => provider.GetRequiredService<SqliteDatabase>());
            services.AddSingleton<IStoreGuard>(provider => provider.GetRequiredService<SqliteDatabase>());
            services.AddSingleton<SqliteWriter>();
            services.AddSingleton<ISessionStore, SqliteSessionStore>();
            services.AddSingleton<SqliteHolderStore>();
            services.AddSingleton<IHolderStore>(provider => provider.GetRequiredService<SqliteHolderStore>());
            services.AddSingleton<IHolderRegistry>(provider => provider.GetRequiredService<SqliteHolderStore>());
            services.AddSingleton<SqliteInstallationStore>();
            services.AddSingleton<IInstallationStore>(provider => provider.GetRequiredService<SqliteInstallationStore>());
            services.AddSingleton<IStoreClock>(provider => provider.GetRequiredService<SqliteInstallationStore>());
            services.AddSingleton<IServiceStore>(provider => provider.GetRequiredService<SqliteHolderStore>());
            services.AddSingleton<IImportStore, SqliteImportStore>();
        }

        services.AddSingleton<ISessionOrders>(provider => provider.GetRequiredService<ISessionStore>());
        services.AddSingleton<ISessionReader>(provider => provider.GetRequiredService<ISessionStore>());
        services.AddSingleton<IRecipeUserSessions>(provider => provider.GetRequiredService<ISessionStore>());
        services.AddSingleton<IStoreHealth>(provider => provider.GetRequiredService<ISessionStore>());
        return services;
    }
}
