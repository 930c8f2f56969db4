using Grid.Abstractions.Apps;
using Grid.Abstractions.Installation;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;

namespace Grid.Grains.Apps;

/// <summary>Apps and tenants as stored, for operations from outside the grains.</summary>
public static class StoredApps
{
    /// <summary>The tenants of every app that exists, <c>public</c> among them.</summary>
    /// <param name="rows">The state of the apps' grains.</param>
    public static IReadOnlyDictionary<AppKey, IReadOnlySet<string>> Read(IEnumerable<StoredKeysRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>());
        var apps = new Dictionary<AppKey, IReadOnlySet<string>> { [AppKey.Public] = new HashSet<string>(StringComparer.Ordinal) { TenantKey.PublicId } };
        foreach (var row in rows)
        {
            var app = AppKey.Parse(row.App);
            if (serializer.Deserialize<AppState>(BinaryData.FromBytes(row.Payload)) is { } state && (app == AppKey.Public || state is { Exists: true, Removal: null }))
            {
                apps[app] = new HashSet<string>(state.TenantIds, StringComparer.Ordinal) { TenantKey.PublicId };
            }
        }

        return apps;
    }
}
