using Grid.Abstractions;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;
using Grid.Storage;

namespace Grid.Silo.Commands;

/// <summary>For verbs that work on the store without serving: settings, ownership and schema as a start has them.</summary>
internal static class StoreVerb
{
    /// <exception cref="SettingsException">As a start would say.</exception>
    /// <exception cref="StoreStartException">As a start would say; also if migrations are pending.</exception>
    public static async Task<int> RunAsync(string[] overrides, Func<GridSettings, IServiceProvider, Task<int>> work)
    {
        var settings = GridSettings.Read(Configuration.Build(overrides));
        await using var services = new ServiceCollection().AddLogging().AddGridStorage(settings.Store).BuildServiceProvider();
        var startup = services.GetRequiredService<IStoreStartup>();
        startup.TakeOwnership();
        var schema = StoreMigrator.For(settings.Store).Status();
        if (schema.State != SchemaState.Current)
        {
            throw schema.State switch
            {
                SchemaState.Newer => StoreMigrator.Newer(schema),

                // There may be what this version does not know of and would leave out.
                SchemaState.Ahead => new StoreStartException($"The database has schema {schema.Applied}, of a later version of Grid than this one, which knows {schema.Known}: use the later version's command."),
                _ => new StoreStartException($"The database is at schema {schema.Applied ?? "(empty)"}, this version needs {schema.Known}. Run 'grid migrate' first."),
            };
        }

        await startup.CheckAsync(CancellationToken.None);
        try
        {
            return await work(settings, services);
        }
        catch (StoreUnavailableException failure)
        {
            throw new StoreStartException($"The store stopped answering: {failure.InnerException?.Message ?? failure.Message} Run it again: completed steps are kept.", failure);
        }
    }
}
