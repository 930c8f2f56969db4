using System.Collections.Immutable;
using Grid.Abstractions.Installation;
using Grid.Abstractions.SigningKeys;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;

namespace Grid.Grains.SigningKeys;

/// <summary>Apps' keys as stored, for operations on all of them from outside the grains.</summary>
public sealed class StoredKeys : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private readonly OrleansGrainStorageSerializer _serializer;

    /// <summary>Reads and writes as the grains' storage does.</summary>
    public StoredKeys() => _serializer = new OrleansGrainStorageSerializer(_services.GetRequiredService<Serializer>());

    /// <summary>How many of these keys each key-encryption key sealed, by its id.</summary>
    public IReadOnlyDictionary<string, int> CountByKeyId(IEnumerable<StoredKeysRow> rows) =>
        rows.SelectMany(row => Read(row).Keys).CountBy(key => KeyProtector.KeyIdOf(key.Secret)).ToDictionary();

    /// <summary>How many of these keys open.</summary>
    internal int CountReadable(IEnumerable<StoredKeysRow> rows, KeyProtector protector)
    {
        ArgumentNullException.ThrowIfNull(protector);
        return rows.Sum(row => Read(row).Keys.Count(key => protector.Opens(row.App, key.Kid, (int)key.Kind, key.Secret)));
    }

    /// <summary>The ids of an app's keys that do not open.</summary>
    internal IReadOnlyList<string> FindUnreadable(StoredKeysRow row, KeyProtector protector)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(protector);
        return [.. Read(row).Keys.Where(key => !protector.Opens(row.App, key.Kid, (int)key.Kind, key.Secret)).Select(key => key.Kid)];
    }

    /// <summary>Reseals an app's keys with the sealing key of <paramref name="protector"/>.</summary>
    /// <returns>The row's new payload, null if nothing has to change; how many keys changed; the ids of those that do not open, which stay as they are.</returns>
    internal (byte[]? Payload, int Changed, IReadOnlyList<string> Unreadable) Rewrap(StoredKeysRow row, KeyProtector protector)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(protector);
        var keys = ImmutableArray.CreateBuilder<StoredKey>();
        var changed = 0;
        List<string> unreadable = [];
        foreach (var key in Read(row).Keys)
        {
            if (KeyProtector.KeyIdOf(key.Secret) == protector.KeyId)
            {
                keys.Add(key);
                continue;
            }

            try
            {
                var secret = protector.Open(row.App, key.Kid, (int)key.Kind, key.Secret);
                keys.Add(key with { Secret = protector.Seal(row.App, key.Kid, (int)key.Kind, secret) });
                changed++;
            }
            catch (KeyProtectionException)
            {
                keys.Add(key);
                unreadable.Add(key.Kid);
            }
        }

        return (changed == 0 ? null : _serializer.Serialize(new SigningKeysState { Keys = keys.ToImmutable() }).ToArray(), changed, unreadable);
    }

    /// <inheritdoc/>
    public void Dispose() => _services.Dispose();

    private SigningKeysState Read(StoredKeysRow row) => _serializer.Deserialize<SigningKeysState>(BinaryData.FromBytes(row.Payload)) ?? new SigningKeysState();
}
